//! The view service as a node: its rules ([`Views`]) with a clock, a disk and messages.

use contract::{Answer, ErrorCode, NodeId, Refusal, Request, view::Ping};
use node::{Application, Token};
use serde_json::{Value, json};

use crate::{
    config::Config,
    message::{Message, Record},
    node::{Effects, Timer},
    view::View,
    views::Views,
};

/// The view service. Each view is on its disk before any server hears of it, so that it may restart like a server.
#[derive(Debug)]
pub struct ViewService {
    config: Config,
    views: Views,
}

impl ViewService {
    /// A view service that goes on with the view that these records end with.
    #[must_use]
    pub fn new(config: Config, records: &[Record]) -> Self {
        let last = records.iter().rev().find_map(|record| match record {
            Record::Chosen { view, acknowledged } => Some((view.clone(), *acknowledged)),
            _ => None,
        });
        let (view, acknowledged) = last.unwrap_or_default();
        let views = Views::new(view, acknowledged, config.dead_pings);
        Self { config, views }
    }

    /// The current view, and what else the service knows.
    #[must_use]
    pub fn views(&self) -> &Views {
        &self.views
    }

    pub(crate) fn on_start<A>(&mut self, effects: &mut Effects<A>)
    where
        A: Application<Command = Request, Output = Answer>,
    {
        effects.set_timer(Timer::Ping, self.config.ping_ms);
    }

    pub(crate) fn on_ping<A>(
        &mut self,
        from: &NodeId,
        num: u64,
        backup_is_silent: bool,
        effects: &mut Effects<A>,
    ) where
        A: Application<Command = Request, Output = Answer>,
    {
        if !self.config.servers.contains(from) {
            return;
        }
        self.change(effects, |views| {
            views.ping(from, num);
            if backup_is_silent {
                views.backup_is_silent(from, num);
            }
        });
        effects.send(from, self.current_view());
    }

    /// A ping of the rung `view-service`: its answer is the current view.
    pub(crate) fn on_call<A>(
        &mut self,
        body: Value,
        effects: &mut Effects<A>,
    ) -> Result<Value, Refusal>
    where
        A: Application<Command = Request, Output = Answer>,
    {
        let refusal = |reason: String| Refusal::new(ErrorCode::BadRequest, reason);
        let Ping { node, view } = serde_json::from_value(body)
            .map_err(|error| refusal(format!("the body is no ping: {error}")))?;
        if !self.config.servers.contains(&node) {
            return Err(refusal("the sender is not in DS_MEMBERS".to_owned()));
        }
        self.change(effects, |views| views.ping(&node, view));
        Ok(self.view())
    }

    /// The current view, as the contract writes it.
    pub(crate) fn view(&self) -> Value {
        json!(self.views.view())
    }

    pub(crate) fn on_tick<A>(&mut self, effects: &mut Effects<A>)
    where
        A: Application<Command = Request, Output = Answer>,
    {
        effects.set_timer(Timer::Ping, self.config.ping_ms);
        self.change(effects, Views::tick);
    }

    /// Writes down what has changed; a new view is told to everybody, though pings would find it out, too.
    fn change<A>(&mut self, effects: &mut Effects<A>, step: impl FnOnce(&mut Views))
    where
        A: Application<Command = Request, Output = Answer>,
    {
        let (num, acknowledged) = (self.views.view().num, self.views.is_acknowledged());
        step(&mut self.views);
        let is_new = self.views.view().num != num;
        if !is_new && self.views.is_acknowledged() == acknowledged {
            return;
        }
        let (view, acknowledged) = (self.views.view().clone(), self.views.is_acknowledged());
        effects.rewrite(vec![Record::Chosen { view, acknowledged }]);
        if is_new {
            let reached = self.config.servers.iter().filter(|_| self.config.reaches_servers);
            reached.for_each(|server| effects.send(server, self.current_view()));
        }
    }

    fn current_view(&self) -> Message {
        Message::CurrentView {
            view: self.views.view().clone(),
            acknowledged: self.views.is_acknowledged(),
        }
    }

    /// Clients ask servers.
    pub(crate) fn on_request<A>(&self, token: Token, effects: &mut Effects<A>)
    where
        A: Application<Command = Request, Output = Answer>,
    {
        let hint = self.views.view().primary.clone();
        let refusal = Refusal::new(ErrorCode::NotLeader, "the view service holds no keys");
        effects.reply(token, Answer::Error(Refusal { hint, ..refusal }));
    }

    pub(crate) fn status(&self) -> Value {
        let View { num, primary, .. } = self.views.view();
        json!({ "role": "view", "term": num, "leader": primary, "view": self.view() })
    }
}
