//! Where HTTP/1.1 messages begin and end in a stream of bytes (RFC 9112, section 6).
//!
//! A framer only reads: the bytes travel as they came, so that a peer's mistakes reach the other peer unrepaired.
//! What it cannot follow (TLS, HTTP/2, upgrades, nonsense) it calls raw, for the rest of the connection.

use std::mem::MaybeUninit;

use httparse::{Header, Status};

/// A head longer than this is not taken for HTTP.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// The same for the line before a chunk, and for a line of the trailer.
const LINE_BYTES_MAX: usize = 8 << 10;
const HEADERS_MAX: usize = 128;
/// What a record keeps of a path or a type: the rest is a hostile peer's way to fill a disk.
const LABEL_CHARS_MAX: usize = 200;

/// The methods that change how the answer is framed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Verb {
    Head,
    Connect,
    #[default]
    Other,
}

/// What the trace says about a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Label {
    pub method: String,
    pub path: String,
    pub kind: Option<String>,
}

/// What the tunnel needs to know of a head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub verb: Verb,
    /// The sender waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// A 1xx answer: the real one is still to come.
    pub interim: bool,
    /// Only where the framer was asked to label.
    pub label: Option<Label>,
}

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

#[derive(Clone, Copy)]
enum Body {
    None,
    Length(u64),
    Chunked,
    UntilClose,
    /// No HTTP any more behind this head.
    Tunnel,
}

enum Parsed {
    Complete(usize, Head, Body),
    Partial,
    Bad,
}

fn parse_request(bytes: &[u8], labels: bool) -> Parsed {
    let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut []);
    let length = match request.parse_with_uninit_headers(bytes, &mut headers) {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) => return Parsed::Partial,
        Err(_) => return Parsed::Bad,
    };
    let verb = match request.method {
        Some("HEAD") => Verb::Head,
        Some("CONNECT") => Verb::Connect,
        _ => Verb::Other,
    };
    let body = match (verb, body_length(request.headers)) {
        (Verb::Connect, _) => Body::Tunnel,
        (_, Some(Coding::Chunked)) => Body::Chunked,
        (_, Some(Coding::Length(length))) => Body::Length(length),
        (_, Some(Coding::Absent)) => Body::None,
        // A request cannot be delimited by closing.
        (_, Some(Coding::Other) | None) => return Parsed::Bad,
    };
    let expects_continue = value_of(request.headers, "expect").is_some();
    let label = labels.then(|| Label {
        method: shortened(request.method.unwrap_or_default().as_bytes()),
        path: shortened(request.path.unwrap_or_default().as_bytes()),
        kind: value_of(request.headers, "x-ds-type").map(shortened),
    });
    Parsed::Complete(length, Head { verb, expects_continue, interim: false, label }, body)
}

fn parse_response(bytes: &[u8], to: Verb) -> Parsed {
    let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        bytes,
        &mut headers,
    );
    let length = match parsed {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) => return Parsed::Partial,
        Err(_) => return Parsed::Bad,
    };
    let code = response.code.unwrap_or_default();
    let interim = (100..200).contains(&code) && code != 101;
    let body = match (code, to, body_length(response.headers)) {
        (101, ..) | (200..=299, Verb::Connect, _) => Body::Tunnel,
        (100..=199 | 204 | 304, ..) | (_, Verb::Head, _) => Body::None,
        (.., Some(Coding::Chunked)) => Body::Chunked,
        (.., Some(Coding::Length(length))) => Body::Length(length),
        (.., Some(Coding::Absent | Coding::Other)) => Body::UntilClose,
        (.., None) => return Parsed::Bad,
    };
    Parsed::Complete(length, Head { interim, ..Head::default() }, body)
}

enum Coding {
    Chunked,
    Length(u64),
    Absent,
    /// A transfer coding that does not delimit.
    Other,
}

/// RFC 9112, section 6.3; `None` where the headers contradict each other.
fn body_length(headers: &[Header<'_>]) -> Option<Coding> {
    let mut length = None;
    let mut coding = None;
    for header in headers {
        if header.name.eq_ignore_ascii_case("content-length") {
            let value = decimal(header.value)?;
            if length.is_some_and(|other| other != value) {
                return None;
            }
            length = Some(value);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            coding = Some(header.value);
        }
    }
    Some(match (coding, length) {
        // Transfer-Encoding overrides Content-Length.
        (Some(coding), _) => {
            let last = coding.rsplit(|&b| b == b',').next().unwrap_or_default().trim_ascii();
            if last.eq_ignore_ascii_case(b"chunked") { Coding::Chunked } else { Coding::Other }
        }
        (None, Some(length)) => Coding::Length(length),
        (None, None) => Coding::Absent,
    })
}

/// Digits only: `parse` alone would take a sign.
fn decimal(value: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(value.trim_ascii()).ok()?;
    if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
}

fn value_of<'h>(headers: &[Header<'h>], name: &str) -> Option<&'h [u8]> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
}

fn shortened(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(4 * LABEL_CHARS_MAX)])
        .chars()
        .take(LABEL_CHARS_MAX)
        .collect()
}

#[cfg(test)]
#[path = "framing_tests.rs"]
mod tests;
