//! Duplicates: the same request over a connection of its own, its answer thrown away.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::budget::Buffer;
use crate::framing::{Framer, Verb};
use crate::gate::Passage;
use crate::link::Link;
use crate::pump::CHUNK_BYTES;

/// How long the duplicate's connection waits for its answer: a server may abandon a request whose sender left.
const ANSWER_MS_MAX: u64 = 5_000;

/// Sends `message` a second time, in the background.
pub(crate) fn send(link: &Arc<Link>, mut gate: Passage, message: Arc<Buffer>, verb: Verb) {
    let upstream = link.upstream;
    link.tasks.spawn(async move {
        let exchange = async {
            gate.pass().await.ok()?;
            let mut stream = TcpStream::connect(upstream).await.ok()?;
            stream.set_nodelay(true).ok()?;
            stream.write_all(message.bytes()).await.ok()?;
            drop(message);
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
