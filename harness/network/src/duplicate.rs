//! Duplicates: the same request over a connection of its own, its answer thrown away.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::framing::{Framer, Verb};
use crate::pump::CHUNK_BYTES;
use crate::trigger::Message;

/// How long the duplicate's connection waits for its answer: a server may abandon a request whose sender left.
const ANSWER_MS_MAX: u64 = 5_000;

/// Sends `message` once more, in the background, after so long.
pub(crate) fn send(message: Message, late: Duration) {
    let Message { link, mut gate, bytes, verb } = message;
    let upstream = link.upstream;
    link.tasks.spawn(async move {
        let exchange = async {
            tokio::time::sleep(late).await;
            gate.pass().await.ok()?;
            let mut stream = TcpStream::connect(upstream).await.ok()?;
            stream.set_nodelay(true).ok()?;
            stream.write_all(bytes.bytes()).await.ok()?;
            drop(bytes);
            let answer = answer(&mut stream, verb);
            tokio::time::timeout(Duration::from_millis(ANSWER_MS_MAX), answer).await.ok()
        };
        // A duplicate that cannot be sent is one message less, which no one was promised.
        let _ = exchange.await;
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
