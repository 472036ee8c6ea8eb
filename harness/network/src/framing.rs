//! Where HTTP/1.1 messages begin and end in a stream of bytes (RFC 9112, section 6).
//!
//! A framer only reads: the bytes travel as they came, so that a peer's mistakes reach the other peer unrepaired.
//! What it cannot follow (TLS, HTTP/2, upgrades, nonsense) it calls raw, for the rest of the connection.

mod head;

use httparse::Status;

use head::{Body, Parsed, parse_request, parse_response};
pub(crate) use head::{Head, Label, Verb};

/// A head longer than this is not taken for HTTP.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// The same for the line before a chunk, and for a line of the trailer.
const LINE_BYTES_MAX: usize = 8 << 10;

/// How far one call of [`Framer::advance`] came.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// Bytes that belong to the current message.
    pub used: usize,
    /// The head, if it became complete.
    pub head: Option<Head>,
    /// Whether the message ends after `used` bytes.
    pub end: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Requests { labels: bool },
    Responses { to: Verb },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Length(u64),
    ChunkSize,
    ChunkData(u64),
    Trailer,
    UntilClose,
    Raw,
}

/// Follows one direction of one connection.
pub(crate) struct Framer {
    side: Side,
    state: State,
    /// The part of a head or line seen so far; empty where it came in one piece.
    partial: Vec<u8>,
    /// Length of `partial` when it was last parsed.
    tried: usize,
}

impl Framer {
    pub fn requests(labels: bool) -> Self {
        Self::new(Side::Requests { labels })
    }

    pub fn responses() -> Self {
        Self::new(Side::Responses { to: Verb::Other })
    }

    fn new(side: Side) -> Self {
        Self { side, state: State::Head, partial: Vec::new(), tried: 0 }
    }

    /// The next response answers a request of this method.
    pub fn answers(&mut self, verb: Verb) {
        self.side = Side::Responses { to: verb };
    }

    pub fn is_raw(&self) -> bool {
        self.state == State::Raw
    }

    pub fn go_raw(&mut self) {
        self.state = State::Raw;
        self.partial = Vec::new();
    }

    /// Whether the end of the stream is the proper end of the current message.
    pub fn ends_at_close(&self) -> bool {
        self.state == State::UntilClose
    }

    /// Consumes `bytes` up to the end of the current message, or all of them.
    pub fn advance(&mut self, bytes: &[u8]) -> Step {
        let mut step = Step::default();
        while step.used < bytes.len() && !step.end {
            let rest = &bytes[step.used..];
            match self.state {
                State::Raw | State::UntilClose => step.used = bytes.len(),
                State::Head => self.head(rest, &mut step),
                State::Length(left) => {
                    let left = skip(rest, left, &mut step);
                    step.end = left == 0;
                    self.state = if step.end { State::Head } else { State::Length(left) };
                }
                State::ChunkData(left) => {
                    let left = skip(rest, left, &mut step);
                    self.state = if left == 0 { State::ChunkSize } else { State::ChunkData(left) };
                }
                State::ChunkSize => self.line(rest, &mut step, Self::chunk_size),
                State::Trailer => self.line(rest, &mut step, Self::trailer),
            }
        }
        step
    }

    fn head(&mut self, rest: &[u8], step: &mut Step) {
        if self.partial.is_empty() {
            // Empty lines before a message are tolerated, and not stored.
            let blank = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            step.used += blank;
            let rest = &rest[blank..];
            match self.parse(rest) {
                Parsed::Complete(length, head, body) => self.begin(length, head, body, step),
                Parsed::Partial => self.keep(rest, step),
                Parsed::Bad => self.go_raw(),
            }
            self.tried = rest.len();
            return;
        }
        let old = self.partial.len();
        self.keep(rest, step);
        // Parsing again at every byte would let a slow peer burn a core: only at a blank line, or when the head has
        // doubled, so that nonsense is still found out early.
        if self.partial.len() < 2 * self.tried && !blank_line_after(&self.partial, old) {
            return;
        }
        self.tried = self.partial.len();
        let partial = std::mem::take(&mut self.partial);
        match self.parse(&partial) {
            Parsed::Complete(length, head, body) => {
                step.used -= rest.len();
                self.begin(length.saturating_sub(old), head, body, step);
            }
            Parsed::Partial if partial.len() <= HEAD_BYTES_MAX => self.partial = partial,
            Parsed::Partial | Parsed::Bad => self.go_raw(),
        }
    }

    fn keep(&mut self, rest: &[u8], step: &mut Step) {
        self.partial.extend_from_slice(rest);
        step.used += rest.len();
    }

    fn begin(&mut self, length: usize, head: Head, body: Body, step: &mut Step) {
        step.used += length;
        step.head = Some(head);
        self.state = match body {
            Body::None | Body::Length(0) => {
                step.end = true;
                State::Head
            }
            Body::Length(length) => State::Length(length),
            Body::Chunked => State::ChunkSize,
            Body::UntilClose => State::UntilClose,
            Body::Tunnel => State::Raw,
        };
    }

    /// Collects one line, which may come in pieces, and hands it on.
    fn line(&mut self, rest: &[u8], step: &mut Step, then: fn(&mut Self, &[u8], &mut Step)) {
        let end = rest.iter().position(|&b| b == b'\n').map(|at| at + 1);
        self.keep(&rest[..end.unwrap_or(rest.len())], step);
        if self.partial.len() > LINE_BYTES_MAX {
            self.go_raw();
        } else if end.is_some() {
            let mut line = std::mem::take(&mut self.partial);
            then(self, &line, step);
            line.clear();
            if !self.is_raw() {
                self.partial = line; // Its room is used again for the next line.
            }
        }
    }

    fn chunk_size(&mut self, line: &[u8], _: &mut Step) {
        self.state = match httparse::parse_chunk_size(line) {
            Ok(Status::Complete((_, 0))) => State::Trailer,
            // The data are followed by CR LF.
            Ok(Status::Complete((_, size))) => {
                size.checked_add(2).map_or(State::Raw, State::ChunkData)
            }
            _ => State::Raw,
        };
    }

    fn trailer(&mut self, line: &[u8], step: &mut Step) {
        if matches!(line, b"\r\n" | b"\n") {
            self.state = State::Head;
            step.end = true;
        }
    }

    fn parse(&self, bytes: &[u8]) -> Parsed {
        match self.side {
            Side::Requests { labels } => parse_request(bytes, labels),
            Side::Responses { to } => parse_response(bytes, to),
        }
    }
}

fn skip(rest: &[u8], left: u64, step: &mut Step) -> u64 {
    let count = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
    step.used += count;
    left - count as u64
}

/// Whether an empty line ends behind position `old`.
fn blank_line_after(bytes: &[u8], old: usize) -> bool {
    let recent = &bytes[old.saturating_sub(3)..];
    recent.windows(2).any(|w| w == b"\n\n") || recent.windows(3).any(|w| w == b"\n\r\n")
}

#[cfg(test)]
mod tests;
