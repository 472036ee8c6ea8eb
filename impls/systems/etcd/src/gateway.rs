//! One connection to the JSON gateway of a node.

use std::net::SocketAddr;

use adapter::refusals;
use bytes::Bytes;
use contract::Refusal;
use http_client::{Connection, Full, Request, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};

use crate::errors;

/// The longest answer that is read: a transaction may read many keys.
const ANSWER_BYTES_MAX: usize = 16 << 20;

pub(crate) struct Gateway {
    connection: Connection,
    address: SocketAddr,
}

impl Gateway {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, String> {
        let connection = Connection::open(address).await.map_err(|error| error.to_string())?;
        Ok(Self { connection, address })
    }

    pub(crate) async fn is_open(&mut self) -> bool {
        self.connection.is_ready().await
    }

    /// Posts a message and reads the answer. Once it is on its way, only what etcd itself says can be definite.
    pub(crate) async fn post<A: DeserializeOwned>(
        &mut self,
        path: &str,
        message: &impl Serialize,
    ) -> Result<A, Refusal> {
        let body = serde_json::to_vec(message).map_err(refusals::not_sent)?;
        let request = Request::post(path)
            .header(header::HOST, self.address.to_string())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(refusals::not_sent)?;
        let exchange = self.connection.exchange(request, ANSWER_BYTES_MAX).await;
        let (status, answer) = exchange.map_err(refusals::unknown)?;
        if status != StatusCode::OK {
            return Err(errors::refusal(&answer));
        }
        serde_json::from_slice(&answer).map_err(refusals::unknown)
    }
}
