//! Requests to the coordinator.

use std::{net::SocketAddr, time::Duration};

use http_client::{HttpError, Response};
use serde::{Serialize, de::DeserializeOwned};

use crate::wire::Answer;

/// The longest answer: a reduce task names an attempt for each map task.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Sends requests to one coordinator.
pub struct Client {
    http: http_client::Client,
    base: String,
}

impl Client {
    /// Nothing is sent yet. `limit`: how long one request may take.
    pub fn new(coordinator: SocketAddr, limit: Duration) -> Self {
        Self { http: http_client::client(limit, 2), base: format!("http://{coordinator}") }
    }

    /// Sends a request with a body.
    ///
    /// # Errors
    /// Why there is no answer, or what the coordinator refused.
    pub async fn post<Q: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        body: &Q,
    ) -> Result<A, String> {
        let body = serde_json::to_vec(body).map_err(|error| error.to_string())?;
        let request = self.http.post(format!("{}{path}", self.base)).body(body);
        self.read(http_client::send(request).await).await
    }

    /// Asks for something.
    ///
    /// # Errors
    /// As [`Self::post`].
    pub async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, String> {
        let request = self.http.get(format!("{}{path}", self.base));
        self.read(http_client::send(request).await).await
    }

    /// Whether the coordinator takes requests.
    ///
    /// # Errors
    /// It does not.
    pub async fn ready(&self) -> Result<(), String> {
        let sent = http_client::send(self.http.get(format!("{}/readyz", self.base))).await;
        sent.map(drop).map_err(|error| error.to_string())
    }

    async fn read<A: DeserializeOwned>(
        &self,
        answer: Result<Response, HttpError>,
    ) -> Result<A, String> {
        let unreachable = |error: HttpError| format!("{}: {error}", self.base);
        let answer = answer.map_err(unreachable)?;
        let body = http_client::read(answer, ANSWER_BYTES_MAX).await.map_err(unreachable)?;
        let answer: Answer<A> = serde_json::from_slice(&body)
            .map_err(|error| format!("{}: the answer is not as expected: {error}", self.base))?;
        match answer {
            Answer::Ok(value) => Ok(value),
            Answer::Error(refusal) => Err(refusal.message),
        }
    }
}
