use proptest::collection::vec;
use proptest::prelude::*;

use super::{head::LABEL_CHARS_MAX, *};

/// Feeds `bytes` in pieces of the given sizes, over and over; the offsets at which messages end.
fn ends(framer: &mut Framer, bytes: &[u8], sizes: &[usize]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    let mut sizes = sizes.iter().copied().cycle();
    while at < bytes.len() {
        let size = sizes.next().unwrap_or(1).clamp(1, bytes.len() - at);
        let mut rest = &bytes[at..at + size];
        while !rest.is_empty() {
            let step = framer.advance(rest);
            assert!(step.used <= rest.len() && (step.used > 0 || framer.is_raw()));
            at += step.used;
            rest = &rest[step.used..];
            if step.end {
                ends.push(at);
            }
        }
    }
    ends
}

fn request_ends(text: &str) -> Vec<usize> {
    let mut framer = Framer::requests(true);
    ends(&mut framer, text.as_bytes(), &[usize::MAX])
}

/// How the peer's answer or request is delimited.
#[derive(Clone, Debug)]
enum Shape {
    Empty,
    Length(Vec<u8>),
    Chunked(Vec<Vec<u8>>, bool),
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Empty),
        vec(any::<u8>(), 0..200).prop_map(Shape::Length),
        (vec(vec(any::<u8>(), 1..50), 0..5), any::<bool>())
            .prop_map(|(chunks, trailer)| Shape::Chunked(chunks, trailer)),
    ]
}

/// A whole message: the oracle knows where it ends because it wrote it.
fn message(start: &str, shape: &Shape, padding: usize) -> Vec<u8> {
    let mut bytes = format!("{start}\r\nX-Padding: {}\r\n", "p".repeat(padding)).into_bytes();
    match shape {
        Shape::Empty => bytes.extend(b"\r\n"),
        Shape::Length(body) => {
            bytes.extend(format!("content-LENGTH: {}\r\n\r\n", body.len()).bytes());
            bytes.extend(body);
        }
        Shape::Chunked(chunks, trailer) => {
            bytes.extend(b"Transfer-Encoding: gzip, Chunked\r\n\r\n");
            for chunk in chunks {
                bytes.extend(format!("{:X};ext=1\r\n", chunk.len()).bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(if *trailer { &b"0\r\nA: b\r\n\r\n"[..] } else { &b"0\r\n\r\n"[..] });
        }
    }
    bytes
}

fn stream(messages: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    for message in messages {
        bytes.extend(message);
        ends.push(bytes.len());
    }
    (bytes, ends)
}

proptest! {
    #[test]
    fn requests_end_where_they_end_however_they_are_split(
        shapes in vec((shape(), 0usize..300), 1..6),
        sizes in vec(1usize..120, 1..8),
    ) {
        let messages: Vec<_> = shapes
            .iter()
            .map(|(shape, padding)| message("POST /v1/op HTTP/1.1", shape, *padding))
            .collect();
        let (bytes, expected) = stream(&messages);
        let mut framer = Framer::requests(false);
        prop_assert_eq!(ends(&mut framer, &bytes, &sizes), expected);
        prop_assert!(!framer.is_raw());
    }

    #[test]
    fn responses_end_where_they_end_however_they_are_split(
        shapes in vec((shape(), 0usize..300), 1..6),
        sizes in vec(1usize..120, 1..8),
    ) {
        let messages: Vec<_> = shapes
            .iter()
            .map(|(shape, padding)| {
                // Without a length only some statuses have an end before the stream's.
                let empty = matches!(shape, Shape::Empty);
                message(if empty { "HTTP/1.1 204 None" } else { "HTTP/1.1 200 OK" }, shape, *padding)
            })
            .collect();
        let (bytes, expected) = stream(&messages);
        let mut framer = Framer::responses();
        prop_assert_eq!(ends(&mut framer, &bytes, &sizes), expected);
        prop_assert!(!framer.is_raw());
    }

    #[test]
    fn hostile_bytes_never_panic(
        bytes in vec(any::<u8>(), 0..500),
        prefix in prop_oneof![
            Just(""),
            Just("GET / HTTP/1.1\r\n"),
            Just("HTTP/1.1 200 OK\r\n"),
            Just("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"),
            Just("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ],
        sizes in vec(1usize..40, 1..4),
    ) {
        let bytes = [prefix.as_bytes(), &bytes].concat();
        ends(&mut Framer::requests(true), &bytes, &sizes);
        ends(&mut Framer::responses(), &bytes, &sizes);
    }
}

#[test]
fn what_is_not_http_is_raw() {
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], // TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x00\x00\x00\x07raft",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnot hex\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        b"CONNECT n1:80 HTTP/1.1\r\n\r\n",
    ] {
        for size in [1, 7, usize::MAX] {
            let mut framer = Framer::requests(true);
            ends(&mut framer, garbage, &[size]);
            assert!(framer.is_raw(), "{:?} by {size}", String::from_utf8_lossy(garbage));
        }
    }
}

#[test]
fn an_endless_head_is_raw_in_linear_time() {
    for filler in ["a", "\n", "\r\n", "a:b\n", "a:\n b\n", "GET / HTTP/1.1\r\nA: "] {
        let mut framer = Framer::requests(true);
        let bytes = filler.repeat((2 * HEAD_BYTES_MAX) / filler.len());
        ends(&mut framer, bytes.as_bytes(), &[1]);
        assert!(framer.is_raw() || framer.partial.is_empty(), "{filler:?}");
    }
}

#[test]
fn an_endless_chunk_line_is_raw() {
    let mut framer = Framer::requests(true);
    let bytes = format!(
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;{}",
        "x".repeat(2 * LINE_BYTES_MAX)
    );
    ends(&mut framer, bytes.as_bytes(), &[100]);
    assert!(framer.is_raw());
}

#[test]
fn answers_without_a_body() {
    let with_length = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    let mut framer = Framer::responses();
    framer.answers(Verb::Head);
    assert_eq!(ends(&mut framer, with_length, &[9]), [with_length.len()]);
    framer.answers(Verb::Other);
    assert!(ends(&mut framer, with_length, &[9]).is_empty());

    let mut framer = Framer::responses();
    let not_modified = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n";
    assert_eq!(ends(&mut framer, not_modified, &[9]), [not_modified.len()]);
}

#[test]
fn an_interim_answer_announces_another() {
    let mut framer = Framer::responses();
    let step = framer
        .advance(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert!(step.end && step.head.unwrap().interim);
    let step = framer.advance(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert!(step.end && !step.head.unwrap().interim);
}

#[test]
fn an_upgrade_is_raw_and_a_body_without_length_ends_at_close() {
    let mut framer = Framer::responses();
    framer.advance(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n");
    assert!(framer.is_raw());

    let mut framer = Framer::responses();
    assert!(ends(&mut framer, b"HTTP/1.0 200 OK\r\n\r\nbody", &[5]).is_empty());
    assert!(framer.ends_at_close());
}

#[test]
fn blank_lines_before_a_request_are_part_of_it() {
    assert_eq!(request_ends("\r\n\r\nGET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n"), [22, 40]);
}

#[test]
fn labels_are_bounded() {
    let path = "/".repeat(5000);
    let text = format!("POST {path} HTTP/1.1\r\nx-DS-type: \u{1b}[31m\u{e9}{path}\r\n\r\n");
    let step = Framer::requests(true).advance(text.as_bytes());
    assert!(!step.end, "a control character is no header value");

    let text =
        format!("POST {path} HTTP/1.1\r\nx-DS-type: Prepare\r\nExpect: 100-continue\r\n\r\n");
    let head = Framer::requests(true).advance(text.as_bytes()).head.unwrap();
    let label = head.label.unwrap();
    assert_eq!(label.path.len(), LABEL_CHARS_MAX);
    assert_eq!((label.method.as_str(), label.kind.as_deref()), ("POST", Some("Prepare")));
    assert!(head.expects_continue);
}
