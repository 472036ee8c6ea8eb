//! The pump from the client to the upstream: gates for bytes, faults for whole requests.

use std::sync::Arc;

use record::Fate;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};

use crate::body::{Body, after_head};
use crate::budget::Buffer;
use crate::duplicate;
use crate::exchange::{Due, Exchange};
use crate::faults::Roll;
use crate::framing::{Framer, Head, Step, Verb};
use crate::gate::Passage;
use crate::link::Link;
use crate::pump::{CHUNK_BYTES, End};
use crate::reorder::{Overtaken, Passing};
use crate::trace::Times;
use crate::trigger::{Boundary, Catch, Message};

/// The request being read.
#[derive(Default)]
struct Incoming {
    bytes: u64,
    head: Option<Head>,
    /// Read where the head names no kind.
    body: Body,
    times: Times,
    /// Held until complete, because a fault may hit it; `None`: passed on as it comes.
    buffer: Option<Buffer>,
    started: bool,
    /// It had to wait at the gate, or for whoever caught it.
    waited: bool,
    /// Some of it has left.
    passed_on: bool,
    /// A stalled request is recorded when it starts to wait: it may wait for ever.
    recorded: bool,
}

impl Incoming {
    /// More of it came, with the end of the head or without, perhaps the end of all.
    fn name(&mut self, piece: &[u8], ends_head: bool, is_whole: bool) {
        let label = self.head.as_mut().and_then(|head| head.label.as_mut());
        let Some(label) = label.filter(|label| label.kind.is_none()) else { return };
        self.body.add(if ends_head { after_head(piece) } else { piece });
        if is_whole {
            label.kind = self.body.kind();
        }
    }
}

/// What kept a request, besides a closed gate.
#[derive(Default)]
struct Wait {
    /// It was kept until others let it go.
    held: bool,
    /// Until a later one had overtaken it.
    reordered: bool,
    /// Whom it overtook itself.
    overtaken: Option<Overtaken>,
}

/// How the pump goes on after some bytes.
enum Flow {
    Continue,
    /// A message was lost: swallow the rest.
    Lost,
    /// The upstream takes nothing more; what it still says is the other pump's business.
    UpstreamGone,
}

pub(crate) struct RequestPump<'c> {
    link: &'c Arc<Link>,
    exchange: &'c Exchange,
    gate: Passage,
    client: ReadHalf<'c>,
    upstream: WriteHalf<'c>,
    framer: Framer,
    incoming: Incoming,
}

impl<'c> RequestPump<'c> {
    /// `held`: the connection itself had to wait at the gate.
    pub fn new(
        link: &'c Arc<Link>,
        exchange: &'c Exchange,
        gate: &Passage,
        client: ReadHalf<'c>,
        upstream: WriteHalf<'c>,
        held: bool,
    ) -> Self {
        let framer = Framer::requests(link.is_traced());
        let incoming = Incoming { waited: held, ..Incoming::default() };
        Self { link, exchange, gate: gate.clone(), client, upstream, framer, incoming }
    }

    pub async fn run(mut self) -> Result<(), End> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let flow = match self.client.read(&mut chunk).await {
                Ok(0) => return self.finish().await,
                Ok(count) => self.take(&chunk[..count]).await?,
                Err(_) => return self.abort().await,
            };
            match flow {
                Flow::Continue => {}
                Flow::Lost => return self.swallow(chunk).await,
                Flow::UpstreamGone => {
                    self.exchange.end_requests();
                    return Ok(());
                }
            }
        }
    }

    /// Bytes came: on with them, message by message.
    async fn take(&mut self, chunk: &[u8]) -> Result<Flow, End> {
        let mut rest = chunk;
        while !rest.is_empty() {
            if self.exchange.is_raw() {
                self.framer.go_raw();
            }
            let step = self.framer.advance(rest);
            let (piece, tail) = rest.split_at(step.used);
            rest = tail;
            match self.piece(piece, step).await? {
                Flow::Continue => {}
                stop => return Ok(stop),
            }
        }
        Ok(Flow::Continue)
    }

    async fn piece(&mut self, piece: &[u8], step: Step) -> Result<Flow, End> {
        if !self.incoming.started {
            self.incoming.started = true;
            self.incoming.buffer =
                self.link.holds_requests().then(|| Buffer::new(&self.link.budget));
        }
        self.incoming.bytes += piece.len() as u64;
        let head_is_new = step.head.is_some();
        if head_is_new || step.end {
            let time_ns = self.link.time_ns();
            self.incoming.times.end_ns = time_ns;
            if head_is_new {
                self.incoming.times.head_ns = time_ns;
                self.incoming.head = step.head;
            }
        }
        self.incoming.name(piece, head_is_new, step.end);
        if self.framer.is_raw() && self.exchange.go_raw() {
            self.link.loses_sight();
        }
        if self.framer.is_raw() {
            self.link.hold_up_bytes().await;
        }
        let Some(buffer) = &mut self.incoming.buffer else {
            return self.pass_on(piece, head_is_new, step.end).await;
        };
        // Nobody may wait for a whole message that is no message, or that is only sent when a part has arrived.
        let waits = self.incoming.head.as_ref().is_some_and(|head| head.expects_continue);
        if self.framer.is_raw() || waits || !buffer.keep(piece) {
            return self.spill(piece, step.end).await;
        }
        if step.end { self.deliver().await } else { Ok(Flow::Continue) }
    }

    /// Gives up holding the message: it passes without faults.
    async fn spill(&mut self, piece: &[u8], end: bool) -> Result<Flow, End> {
        let held = self.incoming.buffer.take();
        let head_is_known = self.incoming.head.is_some();
        if head_is_known {
            self.expect_answer(Roll::default(), None, None);
        }
        if let Some(held) = held
            && !self.write(held.bytes()).await?
        {
            return Ok(Flow::UpstreamGone);
        }
        self.pass_on(piece, false, end).await
    }

    /// The path without faults.
    async fn pass_on(&mut self, piece: &[u8], head_is_new: bool, end: bool) -> Result<Flow, End> {
        if head_is_new {
            self.expect_answer(Roll::default(), None, None);
        }
        if end && !self.gate.is_open() {
            self.record(Fate::Stalled);
        }
        if !self.write(piece).await? {
            return Ok(Flow::UpstreamGone);
        }
        if end {
            self.delivered(Fate::Delivered);
        }
        Ok(Flow::Continue)
    }

    /// A whole request is here, and something may happen to it.
    async fn deliver(&mut self) -> Result<Flow, End> {
        let label = self.incoming.head.as_ref().and_then(|head| head.label.as_ref());
        let roll = self.link.roll(label);
        if roll.drop_request {
            self.link.counters.request_dropped.count();
            self.record(Fate::RequestDropped);
            return Ok(Flow::Lost);
        }
        let Some(bytes) = self.incoming.buffer.take().map(Arc::new) else {
            return Ok(Flow::Continue);
        };
        let mut catch = self.link.triggers.catch(label, || self.message(&bytes));
        if !self.gate.is_open() {
            self.record(Fate::Stalled);
        }
        let mut wait = self.hold_up(roll).await;
        if let Some(late) = roll.duplicate {
            self.link.counters.duplicated.count();
            self.incoming.passed_on = true;
            duplicate::send(self.message(&bytes), late);
        }
        wait.held |= self.stop_where_caught(catch.as_mut()).await;
        let rest = catch.as_mut().map(Catch::rest);
        self.expect_answer(roll, wait.overtaken.take(), rest);
        if !self.write(bytes.bytes()).await? {
            return Ok(Flow::UpstreamGone);
        }
        if let Some(mut catch) = catch {
            catch.reaches(Boundary::Delivered);
        }
        self.count(roll, &wait);
        self.delivered(fate(&roll, wait.held, wait.reordered));
        Ok(if roll.drop_response { Flow::Lost } else { Flow::Continue })
    }

    /// Returns when the request may go on as far as the message faults are concerned.
    async fn hold_up(&self, roll: Roll) -> Wait {
        if let Some(delay) = roll.delay {
            tokio::time::sleep(delay).await;
        }
        let mut wait = Wait::default();
        match self.link.waiting_place.enter(roll.reorder) {
            Passing::Free => {}
            Passing::Overtakes(other) => wait.overtaken = Some(other),
            Passing::Waits(until) => {
                (wait.held, wait.reordered) = (true, until.released().await);
            }
        }
        wait
    }

    /// Stops where the request is to be caught before it is delivered; whether it was.
    async fn stop_where_caught(&mut self, catch: Option<&mut Catch>) -> bool {
        let Some(catch) = catch else { return false };
        let is_caught = catch.reaches(Boundary::BeforeDelivery);
        if is_caught {
            // Whoever caught it may send it again, whatever becomes of this connection.
            (self.incoming.waited, self.incoming.passed_on) = (true, true);
            catch.pass().await;
        }
        is_caught
    }

    fn count(&self, roll: Roll, wait: &Wait) {
        let counters = &self.link.counters;
        if wait.reordered {
            counters.reordered.count();
        } else if wait.held || roll.delay.is_some() {
            counters.delayed.count();
        }
        if roll.drop_response {
            counters.response_dropped.count();
        }
    }

    fn message(&self, bytes: &Arc<Buffer>) -> Message {
        Message {
            link: Arc::clone(self.link),
            gate: self.gate.clone(),
            bytes: Arc::clone(bytes),
            verb: self.verb(),
        }
    }

    fn verb(&self) -> Verb {
        self.incoming.head.as_ref().map_or_else(Default::default, |head| head.verb)
    }

    /// Lets the other pump know, before a byte goes out, what the next answer belongs to.
    fn expect_answer(&mut self, roll: Roll, overtaken: Option<Overtaken>, catch: Option<Catch>) {
        let verb = self.verb();
        let touched = roll.drop_response || roll.reorder || roll.delay.is_some();
        let late = touched || self.incoming.waited || !self.gate.is_open();
        let due = Due { verb, drop: roll.drop_response, late, overtaken, catch };
        if !self.exchange.push(due) && self.exchange.go_raw() {
            self.link.loses_sight();
        }
    }

    fn delivered(&mut self, fate: Fate) {
        self.link.counters.delivered.count();
        self.record(fate);
        self.incoming = Incoming::default();
    }

    fn record(&mut self, fate: Fate) {
        if !std::mem::replace(&mut self.incoming.recorded, true) {
            let label = self.incoming.head.as_mut().and_then(|head| head.label.take());
            self.link.record(self.incoming.times, label, self.incoming.bytes, fate);
        }
    }

    /// Writes through the gate, asking anew for each part; `false` when the upstream takes nothing more.
    async fn write(&mut self, mut bytes: &[u8]) -> Result<bool, End> {
        while !bytes.is_empty() {
            self.pass_gate().await?;
            let part = &bytes[..bytes.len().min(4 * CHUNK_BYTES)];
            match self.upstream.write(part).await {
                Ok(0) | Err(_) => return Ok(false),
                Ok(count) => bytes = &bytes[count..],
            }
            self.incoming.passed_on = true;
        }
        Ok(true)
    }

    async fn pass_gate(&mut self) -> Result<(), End> {
        if !self.gate.is_open() {
            self.incoming.waited = true;
            self.link.counters.stalled.count();
            self.gate.pass().await?;
        }
        Ok(())
    }

    /// The client's stream has ended: what is left, then the end.
    async fn finish(&mut self) -> Result<(), End> {
        if let Some(held) = self.incoming.buffer.take() {
            self.write(held.bytes()).await?;
        }
        self.exchange.settled().await;
        self.pass_gate().await?;
        let _ = self.upstream.shutdown().await;
        self.exchange.end_requests();
        Ok(())
    }

    /// The client reset the connection.
    async fn abort(&mut self) -> Result<(), End> {
        if let Some(held) = self.incoming.buffer.take() {
            self.write(held.bytes()).await?;
        }
        self.exchange.settled().await;
        self.pass_gate().await?;
        Err(End::Reset)
    }

    /// A message was lost, so this connection is a black hole until the client gives up.
    async fn swallow(&mut self, mut chunk: Vec<u8>) -> Result<(), End> {
        self.incoming = Incoming::default();
        self.exchange.black_hole();
        while matches!(self.client.read(&mut chunk).await, Ok(count) if count > 0) {}
        self.exchange.settled().await;
        self.pass_gate().await?;
        Err(End::Close)
    }
}

impl Drop for RequestPump<'_> {
    /// A request that was cut off has no record, but its receiver may have read the beginning.
    fn drop(&mut self) {
        let Incoming { head, times, passed_on, .. } = &self.incoming;
        if *passed_on && head.as_ref().is_some_and(|head| head.label.is_some()) {
            self.link.misses_request(times.head_ns);
        }
    }
}

/// The fate that says most.
fn fate(roll: &Roll, held: bool, reordered: bool) -> Fate {
    if roll.drop_response {
        Fate::ResponseDropped
    } else if roll.duplicate.is_some() {
        Fate::Duplicated
    } else if reordered {
        Fate::Reordered
    } else if held || roll.delay.is_some() {
        Fate::Delayed
    } else {
        Fate::Delivered
    }
}
