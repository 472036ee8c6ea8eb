//! One request to one node.

use std::{net::SocketAddr, time::Duration};

use contract::{Answer, Operation, Outcome, Refusal, Request};
use http_client::HttpError;
use serde_json::Value;

/// No answer is longer.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// More of what a node says about an error is not repeated.
const MESSAGE_CHARS_MAX: usize = 200;

/// What came of one attempt.
pub(crate) enum Attempt {
    Done(Outcome),
    Refused(Refusal),
    /// The node never got it.
    NotSent(String),
    /// Nobody knows what came of it.
    Uncertain(String),
}

/// Sends a request to a node, which has so long to answer.
pub(crate) async fn attempt(
    http: &http_client::Client,
    address: SocketAddr,
    request: &Request,
    limit: Duration,
) -> Attempt {
    let body = serde_json::to_vec(request).expect("a request has a JSON form");
    let post = http.post(format!("http://{address}/v1/op")).body(body).timeout(limit);
    let post = post.header(http_client::header::CONTENT_TYPE, "application/json");
    let answer = match http_client::send(post).await {
        Ok(answer) => http_client::read(answer, ANSWER_BYTES_MAX).await,
        Err(HttpError::NotConnected(reason)) => return Attempt::NotSent(reason),
        Err(error) => return Attempt::Uncertain(error.to_string()),
    };
    // Whatever went wrong with the answer, the request was there.
    let answer = answer.map_err(|error| error.to_string());
    match answer.and_then(|body| parsed(&request.op, &body)) {
        Ok(Answer::Ok(outcome)) => Attempt::Done(outcome),
        Ok(Answer::Error(refusal)) => Attempt::Refused(refusal),
        Err(reason) => Attempt::Uncertain(reason),
    }
}

fn parsed(operation: &Operation, body: &[u8]) -> Result<Answer, String> {
    let answer: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if let Some(result) = answer.get("ok") {
        return operation.parse_outcome(result).map(Answer::Ok).map_err(|reason| shown(&reason));
    }
    let refusal = answer.get("error").cloned().unwrap_or_default();
    let refusal: Refusal =
        serde_json::from_value(refusal).map_err(|error| shown(&error.to_string()))?;
    Ok(Answer::Error(Refusal { message: shown(&refusal.message), ..refusal }))
}

/// What a node said, fit to be shown.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(MESSAGE_CHARS_MAX).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_says_of_an_error_is_cut_and_escaped() {
        let get = Operation::Get { key: "x".to_owned() };
        let message = format!("\\u001b[31m{}", "a".repeat(1000));
        let body = format!(r#"{{"error":{{"code":"internal","message":"{message}"}}}}"#);
        let Ok(Answer::Error(refusal)) = parsed(&get, body.as_bytes()) else {
            panic!("it is a refusal");
        };
        assert!(refusal.message.starts_with("\\u{1b}[31maaa"), "{}", refusal.message);
        assert!(refusal.message.len() < MESSAGE_CHARS_MAX + 10);
        assert!(parsed(&get, b"{}").is_err());
    }
}
