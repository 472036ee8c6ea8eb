//! Gates: what a directed pair of nodes may exchange at all.

use tokio::sync::watch;

/// The state of one direction between two nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gate {
    /// Everything passes.
    #[default]
    Open,
    /// Nothing passes, and nobody learns of it: bytes and the end of a stream wait, and go on when the gate opens.
    Stall,
    /// New connections are refused, existing ones reset; an answer in this direction resets its connection.
    Refuse,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    gate: Gate,
    /// How often it was closed and not opened again: several cuts may share a link.
    closed: u32,
    /// Grows whenever existing connections must die.
    resets: u64,
}

/// The side that opens and closes.
pub(crate) struct Gatekeeper(watch::Sender<State>);

impl Gatekeeper {
    pub fn new() -> Self {
        Self(watch::Sender::new(State::default()))
    }

    /// Closes it in this way, until it is opened as often as it was closed.
    pub fn close(&self, gate: Gate) {
        self.0.send_modify(|state| {
            state.closed += u32::from(gate != Gate::Open);
            state.resets += u64::from(gate == Gate::Refuse);
            state.gate = gate;
        });
    }

    /// Opens it, where nobody else has closed it, too.
    pub fn open(&self) {
        self.0.send_modify(|state| {
            state.closed = state.closed.saturating_sub(1);
            if state.closed == 0 {
                state.gate = Gate::Open;
            }
        });
    }

    /// Opens it, whoever has closed it.
    pub fn force_open(&self) {
        self.0.send_modify(|state| (state.closed, state.gate) = (0, Gate::Open));
    }

    pub fn passage(&self) -> Passage {
        let seen = self.0.subscribe();
        let resets = seen.borrow().resets;
        Passage { seen, resets }
    }
}

/// The connection is to be reset.
#[derive(Debug)]
pub(crate) struct Cut;

/// The side that has to ask; one for each task, born with the connection.
#[derive(Clone)]
pub(crate) struct Passage {
    seen: watch::Receiver<State>,
    resets: u64,
}

impl Passage {
    pub fn gate(&self) -> Gate {
        self.seen.borrow().gate
    }

    pub fn is_open(&self) -> bool {
        self.gate() == Gate::Open
    }

    /// The same gate, for a connection that begins now.
    pub fn renewed(&self) -> Self {
        let resets = self.seen.borrow().resets;
        Self { seen: self.seen.clone(), resets }
    }

    /// Returns when bytes may pass.
    pub async fn pass(&mut self) -> Result<(), Cut> {
        if self.is_open() {
            return Ok(());
        }
        let state = self.seen.wait_for(|state| matches!(state.gate, Gate::Open | Gate::Refuse));
        match state.await {
            Ok(state) if state.gate == Gate::Open => Ok(()),
            _ => Err(Cut),
        }
    }

    /// Returns when this connection must die: reset, refused, or the network closed.
    pub async fn cut(&mut self) {
        let resets = self.resets;
        let _ = self.seen.wait_for(|state| state.resets != resets).await;
    }

    /// Returns at the next change; `false` when the network closed.
    pub async fn changed(&mut self) -> bool {
        self.seen.changed().await.is_ok()
    }
}
