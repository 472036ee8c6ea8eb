//! Duplicates: the same request over a connection of its own, its answer thrown away.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::framing::{Framer, Verb};
use crate::pump::CHUNK_BYTES;
use crate::trigger::Message;

/// A duplicate on a link that stays cut for longer never arrives.
const DELIVERY_MS_MAX: u64 = 1_500;
/// How long the duplicate's connection waits for its answer: a server may abandon a request whose sender left.
const ANSWER_MS_MAX: u64 = 5_000;

/// Sends `message` once more, in the background, after so long.
pub(crate) fn send(message: Message, late: Duration) {
    let Message { link, mut gate, bytes, verb } = message;
    let upstream = link.upstream.clone();
    link.tasks.spawn(async move {
        tokio::time::sleep(late).await;
        let delivery = async {
            gate.pass().await.ok()?;
            let mut stream = upstream.connect().await.ok()?;
            stream.write_all(bytes.bytes()).await.ok()?;
            drop(bytes);
            Some(stream)
        };
        // A duplicate that cannot be sent in time is one message less, which no one was promised.
        let delivered =
            tokio::time::timeout(Duration::from_millis(DELIVERY_MS_MAX), delivery).await;
        if let Ok(Some(mut stream)) = delivered {
            let limit = Duration::from_millis(ANSWER_MS_MAX);
            let _ = tokio::time::timeout(limit, answer(&mut stream, verb)).await;
        }
    });
}

async fn answer(stream: &mut TcpStream, verb: Verb) {
    let mut framer = Framer::responses();
    framer.answers(verb);
    let mut chunk = vec![0; CHUNK_BYTES];
    while let Ok(count @ 1..) = stream.read(&mut chunk).await {
        let mut rest = &chunk[..count];
        while !rest.is_empty() {
            let step = framer.advance(rest);
            if step.end && !step.head.is_some_and(|head| head.interim) {
                return;
            }
            rest = &rest[step.used..];
        }
    }
}
