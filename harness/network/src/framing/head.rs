//! Heads of HTTP/1.1 messages: what the proxy needs to know of them, and how long their bodies are.

use std::mem::MaybeUninit;

use httparse::{Header, Status};
use record::Clocks;

const HEADERS_MAX: usize = 128;
/// What a record keeps of a path or a type: the rest is a hostile peer's way to fill a disk.
pub(super) const LABEL_CHARS_MAX: usize = 200;

/// An answer with a longer body may tell the receiver what the sender knows: `{}` does not.
const SILENT_BYTES_MAX: u64 = 2;

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
    /// `X-DS-Type`, or else what the body calls it.
    pub kind: Option<String>,
    pub clocks: Option<Clocks>,
}

/// What the proxy needs to know of a head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub verb: Verb,
    /// The sender waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// A 1xx answer: the real one is still to come.
    pub interim: bool,
    /// An answer that says more than that the request came.
    pub tells: bool,
    /// Only where the framer was asked to label.
    pub label: Option<Label>,
}

/// How the body behind a head is delimited.
#[derive(Clone, Copy)]
pub(super) enum Body {
    None,
    Length(u64),
    Chunked,
    UntilClose,
    /// No HTTP any more behind this head.
    Tunnel,
}

/// What a parser makes of some bytes.
pub(super) enum Parsed {
    /// A head of this length.
    Complete(usize, Head, Body),
    /// The beginning of a head.
    Partial,
    /// No HTTP/1.1.
    Bad,
}

/// Reads the head of a request; with a label for the trace where that is wanted.
pub(super) fn parse_request(bytes: &[u8], labels: bool) -> Parsed {
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
        clocks: Clocks::of_headers(|name| value_of(request.headers, name)),
    });
    Parsed::Complete(length, Head { verb, expects_continue, label, ..Head::default() }, body)
}

/// Reads the head of an answer to a request of this method.
pub(super) fn parse_response(bytes: &[u8], to: Verb) -> Parsed {
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
    let tells = !matches!(body, Body::None | Body::Length(..=SILENT_BYTES_MAX))
        || response.headers.iter().any(|header| is_of_the_contract(header.name));
    Parsed::Complete(length, Head { interim, tells, ..Head::default() }, body)
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

fn is_of_the_contract(name: &str) -> bool {
    name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("x-ds-"))
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
