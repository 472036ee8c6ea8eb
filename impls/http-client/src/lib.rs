//! HTTP between the processes of a run, set up in one place.
//!
//! [`client`] is for the bench's control calls: is a node ready, what is its status. [`Connection`] is for the hot
//! paths, the operations of the clients and the messages between the nodes of a reference store. With both, a request
//! goes to the address it names, once, or it fails: no retry, no redirect, no proxy.

pub mod connection;

use std::{error::Error, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{ClientBuilder, RequestBuilder, redirect, retry};

pub use connection::Connection;
pub use http_body_util::Full;
pub use hyper::{Request, StatusCode, header};
pub use reqwest::{Client, Response};

/// Why there is no usable answer. A request whose connection was refused was not sent; otherwise nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The limit passed before the answer was complete.
    #[error("no answer in time")]
    TimedOut,
    /// The connection ended before the answer was complete.
    #[error("connection closed without an answer")]
    Closed,
    /// What came back is not HTTP/1.
    #[error("the answer is not HTTP: {0}")]
    NotHttp(String),
    /// The answer is longer than the caller reads.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// There was no connection to send it over.
    #[error("{0}")]
    NotConnected(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// A client. `limit` covers one request from connecting to the last byte of its answer; `kept` connections to each
/// address stay open for later requests.
///
/// A kept connection that turns out to be closed before the first byte was written is replaced by a new one. Nothing
/// is ever sent twice.
///
/// # Panics
/// Never: without TLS there is nothing to set up that can fail.
#[must_use]
pub fn client(limit: Duration, kept: usize) -> Client {
    ClientBuilder::new()
        .http1_only()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(retry::never())
        .timeout(limit)
        .pool_max_idle_per_host(kept)
        .pool_idle_timeout(None)
        .tcp_nodelay(true)
        .tcp_keepalive(None)
        .build()
        .expect("a client without TLS sets up nothing that can fail")
}

/// Sends a request and waits for the head of its answer.
///
/// # Errors
/// Why there is no answer.
pub async fn send(request: RequestBuilder) -> Result<Response, HttpError> {
    request.send().await.map_err(|error| explain(&error))
}

/// Reads the rest of an answer. Its connection is kept only after that.
///
/// # Errors
/// The answer did not arrive in whole, or is longer than `bytes_max`.
pub async fn read(mut response: Response, bytes_max: usize) -> Result<Bytes, HttpError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| explain(&error))? {
        if body.len() + chunk.len() > bytes_max {
            return Err(HttpError::TooLong(bytes_max));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The cause at the bottom of the chain: what lies above it only repeats the URL.
fn explain(error: &reqwest::Error) -> HttpError {
    if error.is_timeout() {
        return HttpError::TimedOut;
    }
    let mut cause: &dyn Error = error;
    loop {
        if let Some(error) = cause.downcast_ref::<hyper::Error>() {
            if error.is_incomplete_message() {
                return HttpError::Closed;
            }
            if error.is_parse() && !error.is_parse_too_large() {
                return HttpError::NotHttp(error.to_string());
            }
        }
        match cause.source() {
            Some(source) => cause = source,
            None if error.is_connect() => return HttpError::NotConnected(cause.to_string()),
            None => return HttpError::Other(cause.to_string()),
        }
    }
}
