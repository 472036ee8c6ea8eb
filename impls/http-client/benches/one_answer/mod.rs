//! A server with one answer, for benchmarks of what sends requests.

use std::net::SocketAddr;
use std::sync::mpsc::RecvError;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A server that answers every request alike, on a thread and a runtime of its own.
pub fn start(answer: &'static [u8]) -> Result<SocketAddr, RecvError> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let _ = sender.send(listener.local_addr()?);
            loop {
                let (socket, _) = listener.accept().await?;
                tokio::spawn(answer_all(socket, answer));
            }
            #[allow(unreachable_code, reason = "gives the type of the block")]
            Ok::<(), std::io::Error>(())
        })
    });
    receiver.recv()
}

async fn answer_all(mut socket: TcpStream, answer: &[u8]) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut buffer = vec![0; 16 << 10];
    let mut filled = 0;
    loop {
        let read = socket.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        if let Some(length) = message_length(&buffer[..filled]).filter(|length| *length <= filled) {
            buffer.copy_within(length..filled, 0);
            filled -= length;
            socket.write_all(answer).await?;
        }
    }
}

fn message_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).ok()?.to_ascii_lowercase();
    let length =
        text.split("content-length:").nth(1)?.split("\r\n").next()?.trim().parse::<usize>().ok()?;
    Some(head + length)
}
