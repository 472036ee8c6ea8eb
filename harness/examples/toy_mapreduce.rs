//! MapReduce in one small file, for tests: the coordinator does all the work itself while it is asked, and workers only say that they
//! are there. It has one flaw at most, the first argument:
//!
//! - `outside`: outputs are outside of the shared folder
//! - `binary`: outputs are no text
//! - `huge`: outputs are larger than a job's can be
//! - `never`: no job ends
//! - `ends`: the coordinator ends after a few jobs
//! - `gibberish`: no answer keeps the contract

use std::{
    collections::BTreeMap,
    fs,
    io::Result,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use axum::{
    Json, Router,
    extract::Path,
    routing::{get, post},
};
use contract::mapreduce::JobRequest;
use serde_json::{Value, json};

static STARTED: AtomicU64 = AtomicU64::new(0);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let listen = std::env::var("DS_LISTEN").map_err(std::io::Error::other)?;
    let router = Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(async || "ok"))
        .route("/v1/jobs", post(async |Json(request)| Json(start(&request))))
        .route("/v1/jobs/{job}", get(async |Path(job): Path<String>| Json(status(&job))));
    axum::serve(tokio::net::TcpListener::bind(listen).await?, router).await
}

fn flaw() -> String {
    std::env::args().nth(1).unwrap_or_default()
}

fn output(job: &str) -> PathBuf {
    let folder = match flaw().as_str() {
        "outside" => std::env::var("DS_DATA"),
        _ => std::env::var("DS_SHARED"),
    };
    PathBuf::from(folder.unwrap_or_default()).join(format!("out-{job}"))
}

fn start(request: &JobRequest) -> Value {
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    if flaw() == "ends" && number == 5 {
        eprintln!("five jobs are enough");
        std::process::exit(3);
    }
    if flaw() == "gibberish" {
        return json!({ "ok": { "name": number } });
    }
    let job = format!("j{number}");
    let written = match flaw().as_str() {
        "huge" => fs::File::create(output(&job)).and_then(|file| file.set_len(4 << 20)),
        "binary" => fs::write(output(&job), b"a\xff 1\n"),
        _ => results(request).and_then(|lines| fs::write(output(&job), lines)),
    };
    match written {
        Ok(()) => json!({ "ok": { "job": job } }),
        Err(error) => json!({ "error": { "code": "internal", "message": error.to_string() } }),
    }
}

fn results(request: &JobRequest) -> Result<String> {
    let mut words: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut inputs: Vec<&str> = request.inputs.iter().map(String::as_str).collect();
    inputs.sort_unstable();
    for path in inputs {
        let text = fs::read_to_string(path)?;
        for word in text.split(|letter: char| !letter.is_ascii_alphabetic()) {
            words.entry(word.to_owned()).or_default().push(path);
        }
    }
    words.remove("");
    let line = |(word, mut places): (String, Vec<&str>)| {
        if request.app == "wordcount" {
            return format!("{word} {}\n", places.len());
        }
        places.dedup();
        format!("{word} {} {}\n", places.len(), places.join(","))
    };
    Ok(words.into_iter().map(line).collect())
}

fn status(job: &str) -> Value {
    match flaw().as_str() {
        "never" => json!({ "ok": { "state": "map" } }),
        _ => json!({ "ok": { "state": "done", "outputs": [output(job)] } }),
    }
}
