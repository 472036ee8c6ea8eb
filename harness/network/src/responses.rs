//! The pump from the upstream back to the client: answers, matched to their requests.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
#[cfg(target_os = "linux")]
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

use crate::exchange::Exchange;
use crate::framing::Framer;
use crate::gate::Passage;
use crate::link::Link;
use crate::pump::{CHUNK_BYTES, End};
use crate::trigger::{Boundary, Catch};

pub(crate) struct ResponsePump<'c> {
    link: &'c Link,
    exchange: &'c Exchange,
    gate: Passage,
    upstream: ReadHalf<'c>,
    client: WriteHalf<'c>,
    framer: Framer,
    /// Behind the head of an answer, so that it is known whose answer it is.
    inside: bool,
    /// The client hears nothing more: an answer was dropped, or it is gone. The upstream is read on, so that it is
    /// not disturbed and answers are still seen.
    mute: bool,
    /// Somebody waits for this answer.
    catch: Option<Catch>,
}

impl<'c> ResponsePump<'c> {
    pub fn new(
        link: &'c Link,
        exchange: &'c Exchange,
        gate: &Passage,
        upstream: ReadHalf<'c>,
        client: WriteHalf<'c>,
    ) -> Self {
        let framer = Framer::responses();
        let gate = gate.clone();
        Self {
            link,
            exchange,
            gate,
            upstream,
            client,
            framer,
            inside: false,
            mute: false,
            catch: None,
        }
    }

    pub async fn run(mut self) -> Result<(), End> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match self.upstream.read(&mut chunk).await {
                Ok(0) => return self.finish().await,
                Ok(count) => {
                    self.take(&chunk[..count]).await?;
                    self.ask_for_the_rest();
                }
                Err(_) => return self.abort().await,
            }
        }
    }

    /// Acknowledges what came, where more of the answer is to come. A server that writes an answer in two pieces may send
    /// the second only when the first is acknowledged (RFC 896), and the kernel likes to wait 40 ms with that (RFC 1122,
    /// section 4.2.3.2). A store with Python's `http.server` and ten clients did 878 operations in 4 s without this, 7085
    /// with it.
    fn ask_for_the_rest(&self) {
        #[cfg(target_os = "linux")]
        if self.inside {
            let stream: &TcpStream = self.upstream.as_ref();
            // The kernel forgets it, so it is said again after each piece. Where it cannot be said, all is slower.
            let _ = socket2::SockRef::from(stream).set_tcp_quickack(true);
        }
    }

    async fn take(&mut self, mut rest: &[u8]) -> Result<(), End> {
        while !rest.is_empty() {
            if self.exchange.is_raw() {
                self.framer.go_raw();
            }
            if !self.inside {
                let (verb, drop, catch) = self.exchange.next();
                self.framer.answers(verb);
                self.mute |= drop;
                if catch.is_some() {
                    self.catch = catch;
                }
                if let Some(catch) = &mut self.catch {
                    catch.reaches(Boundary::BeforeAnswer);
                    catch.pass().await;
                }
            }
            let step = self.framer.advance(rest);
            let (piece, tail) = rest.split_at(step.used);
            rest = tail;
            if self.framer.is_raw() && self.exchange.go_raw() {
                self.link.loses_sight();
            }
            if step.head.as_ref().is_some_and(|head| head.tells) {
                self.link.misses_answer();
            }
            if self.framer.is_raw() {
                self.link.hold_up_bytes().await;
            }
            self.inside |= step.head.is_some();
            let is_whole = step.end && !step.head.is_some_and(|head| head.interim);
            if step.end {
                self.inside = false;
            }
            if is_whole {
                self.exchange.answered();
            }
            self.write(piece).await?;
            if is_whole && let Some(mut catch) = self.catch.take() {
                catch.reaches(Boundary::Answered);
            }
        }
        Ok(())
    }

    async fn write(&mut self, mut bytes: &[u8]) -> Result<(), End> {
        while !bytes.is_empty() && !self.mute {
            self.pass_gate().await?;
            match self.client.write(bytes).await {
                Ok(count) if count > 0 => bytes = &bytes[count..],
                // The requests pump will see the client's end too, after what is still to be delivered.
                _ if self.exchange.requests_ended() => return Err(End::Reset),
                _ => self.mute = true,
            }
        }
        Ok(())
    }

    async fn pass_gate(&mut self) -> Result<(), End> {
        if !self.gate.is_open() {
            self.link.counters.stalled.count();
            self.gate.pass().await?;
        }
        Ok(())
    }

    /// The upstream's stream has ended.
    async fn finish(&mut self) -> Result<(), End> {
        if self.framer.ends_at_close() {
            self.exchange.answered();
        }
        self.exchange.silenced();
        if self.hears_end() {
            self.pass_gate().await?;
            let _ = self.client.shutdown().await;
        }
        Ok(())
    }

    /// The upstream reset the connection.
    async fn abort(&mut self) -> Result<(), End> {
        self.exchange.silenced();
        if !self.hears_end() {
            return Ok(());
        }
        self.pass_gate().await?;
        Err(End::Reset)
    }

    /// A lost message leaves the client in the dark.
    fn hears_end(&self) -> bool {
        !self.mute && !self.exchange.is_black_hole()
    }
}
