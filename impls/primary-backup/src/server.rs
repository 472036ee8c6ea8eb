//! A server: primary, backup or idle, as the view service says.

mod backup;
mod durable;
mod primary;

use contract::{Answer, ErrorCode, NodeId, Request};
use node::{Application, Token};
use serde_json::{Value, json};

use crate::{
    config::Config,
    message::{Message, Record, Standing},
    node::{Effects, Timer},
    transfer::Chunk,
    view::View,
};
use backup::Backup;
use durable::Durable;
use primary::Primary;

/// A server of one application.
#[derive(Debug)]
pub struct Server<A> {
    config: Config,
    durable: Durable<A>,
    role: Role,
    /// Whether the view service has said in this life that the view is the current one. A primary that comes up again
    /// waits for that, and spares its clients and its former backup requests in vain.
    is_confirmed: bool,
}

/// What a server does in its view.
#[derive(Debug)]
enum Role {
    Primary(Primary),
    Backup(Backup),
    Idle,
}

impl<A: Application<Command = Request, Output = Answer>> Server<A> {
    /// A server that goes on where these records end.
    ///
    /// # Errors
    /// The snapshot cannot be read.
    pub fn new(config: Config, application: A, records: Vec<Record>) -> Result<Self, String> {
        let durable = Durable::recover(application, config.snapshot_bytes, records)?;
        Ok(Self { config, durable, role: Role::Idle, is_confirmed: false })
    }

    /// The application as it is.
    #[must_use]
    pub fn application(&self) -> &A {
        self.durable.application()
    }

    /// Where the server stands.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        self.durable.standing()
    }

    fn view(&self) -> &View {
        &self.durable.standing().view
    }

    pub(crate) fn on_start(&mut self, effects: &mut Effects<A>) {
        self.take_role(effects);
        effects.set_timer(Timer::Ping, self.config.ping_ms);
        self.ping(effects);
    }

    pub(crate) fn on_message(&mut self, from: &NodeId, message: Message, effects: &mut Effects<A>) {
        match message {
            Message::CurrentView { view, acknowledged } => {
                self.on_view(view, acknowledged, effects);
            }
            Message::Transfer { view, position, offset, bytes, is_last } => {
                let chunk = Chunk { position, offset, bytes, is_last };
                self.on_transfer(from, &view, chunk, effects);
            }
            Message::Received { num, position, bytes } => {
                self.on_received(num, position, bytes, effects);
            }
            Message::Forward { num, first, requests } => {
                self.on_forward(from, num, first, requests, effects);
            }
            Message::Forwarded { num, position } => self.on_forwarded(num, position, effects),
            Message::Refused { num } => self.on_refused(num, effects),
            Message::Ping { .. } => {}
        }
    }

    pub(crate) fn on_ping_timer(&mut self, effects: &mut Effects<A>) {
        effects.set_timer(Timer::Ping, self.config.ping_ms);
        self.remind_backup(effects);
        self.ping(effects);
    }

    pub(crate) fn on_request(&mut self, token: Token, request: Request, effects: &mut Effects<A>) {
        match self.role {
            Role::Primary(_) if self.is_confirmed => self.serve(token, request, effects),
            Role::Primary(_) => {
                let message = "the view service has not confirmed this primary yet";
                self.refuse(token, ErrorCode::NotReady, message, effects);
            }
            Role::Backup(_) | Role::Idle => {
                let message = "this server is not the primary";
                self.refuse(token, ErrorCode::NotLeader, message, effects);
            }
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.is_confirmed
    }

    pub(crate) fn status(&self) -> Value {
        let role = match self.role {
            Role::Primary(_) => "primary",
            Role::Backup(_) => "backup",
            Role::Idle => "idle",
        };
        let (log_bytes, snapshot_bytes) = self.durable.sizes();
        json!({
            "role": role,
            "term": self.view().num,
            "leader": self.view().primary,
            "applied": self.durable.position(),
            "log_bytes": log_bytes,
            "snapshot_bytes": snapshot_bytes,
        })
    }

    /// What the view service says. Nobody acknowledges a view before its two servers have entered it: one that hears
    /// only then that it is one of them has lost its disk. It stays out, so that its pings tell the view service.
    fn on_view(&mut self, view: View, acknowledged: bool, effects: &mut Effects<A>) {
        let num = view.num;
        let has_lost_its_disk = (acknowledged && view.has(&self.config.node))
            || (view.is_primary(&self.config.node) && !self.may_lead(num));
        if num > self.view().num && !has_lost_its_disk {
            self.enter(view, effects);
        }
        self.is_confirmed |= num == self.view().num;
    }

    /// Whether it has the state with which this view begins: in the first one nothing, later that of the view before.
    fn may_lead(&self, num: u64) -> bool {
        let Standing { view, has_state, .. } = self.durable.standing();
        num == 1 || (*has_state && view.num + 1 == num)
    }

    /// Enters a view. A primary that stays answers whoever waits for its former backup: until it acknowledges this view
    /// nobody can follow it. One that does not stay cannot know what will become of them.
    fn enter(&mut self, view: View, effects: &mut Effects<A>) {
        let leads = view.is_primary(&self.config.node);
        self.durable.stand(Standing { view, has_state: leads, acknowledged: false }, effects);
        if !leads {
            self.step_down(effects);
        }
        self.take_role(effects);
    }

    /// Begins to do what the view asks of it.
    fn take_role(&mut self, effects: &mut Effects<A>) {
        if self.view().is_primary(&self.config.node) {
            self.lead(effects);
        } else if self.view().is_backup(&self.config.node) {
            self.role = Role::Backup(Backup::default());
        }
    }

    fn ping(&self, effects: &mut Effects<A>) {
        let Standing { view, acknowledged, .. } = self.durable.standing();
        let is_open = view.is_primary(&self.config.node) && !acknowledged;
        let num = view.num - u64::from(is_open);
        let backup_is_silent = self.backup_is_silent();
        effects.send(&self.config.view_service, Message::Ping { num, backup_is_silent });
    }
}
