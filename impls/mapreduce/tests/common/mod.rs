//! A cluster of real processes. Its nodes run this test's own program, so that tests can bring applications.

use std::{
    collections::BTreeMap,
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use http_client::{HttpError, Response};
use mapreduce::Entry;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What each test program's test `node_process` calls: in a child process it is a node, else nothing.
pub fn node_process(apps: &[Entry]) {
    if std::env::var_os("DS_ROLE").is_some() {
        mapreduce::node_main(&[], apps);
        std::process::exit(0);
    }
}

/// Waits until `ready` gives something.
pub fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "waited in vain for {what}");
        sleep(Duration::from_millis(10));
    }
}

/// A coordinator and workers.
pub struct Cluster {
    nodes: BTreeMap<String, Child>,
    addresses: BTreeMap<String, SocketAddr>,
    folder: TempDir,
    task_ms: u64,
    http: http_client::Client,
    runtime: tokio::runtime::Runtime,
}

impl Cluster {
    /// Starts a coordinator `c1` and workers `w1`, `w2` and so on.
    pub fn start(workers: usize, task_ms: u64) -> Self {
        let ids = std::iter::once("c1".to_owned()).chain((1..=workers).map(|id| format!("w{id}")));
        let listeners = ids.map(|id| (id, TcpListener::bind("127.0.0.1:0").unwrap()));
        let listeners: Vec<(String, TcpListener)> = listeners.collect();
        let address =
            |(id, listener): &(String, TcpListener)| (id.clone(), listener.local_addr().unwrap());
        let addresses: BTreeMap<String, SocketAddr> = listeners.iter().map(address).collect();
        drop(listeners);
        let mut cluster = Self {
            nodes: BTreeMap::new(),
            folder: tempfile::tempdir().unwrap(),
            task_ms,
            http: http_client::client(Duration::from_secs(5), 1),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            addresses,
        };
        let ids: Vec<String> = cluster.addresses.keys().cloned().collect();
        ids.iter().for_each(|id| cluster.restart(id));
        cluster
    }

    /// Starts a node, after it was killed as well, and waits until it is ready.
    pub fn restart(&mut self, id: &str) {
        let role = if id == "c1" { "mr-coordinator" } else { "mr-worker" };
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["node_process", "--exact", "--nocapture"])
            .env("DS_NODE", id)
            .env("DS_ROLE", role)
            .env("DS_LISTEN", self.addresses[id].to_string())
            .env("DS_PEERS", json!({ "c1": self.addresses["c1"] }).to_string())
            .env("DS_COORDINATOR", "c1")
            .env("DS_SHARED", self.shared())
            .env("DS_DATA", self.data(id))
            .env("DS_TASK_MS", self.task_ms.to_string())
            // Nodes end with the test, however that ends.
            .env("DS_GUARD", self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.nodes.insert(id.to_owned(), child);
        wait_for("a node that is ready", || {
            (self.get_at(id, "/readyz").ok()?.0 == 200).then_some(())
        });
    }

    /// The folder of all nodes.
    pub fn shared(&self) -> PathBuf {
        self.folder.path().join("shared")
    }

    /// The folder of one node.
    pub fn data(&self, id: &str) -> PathBuf {
        self.folder.path().join(id)
    }

    /// Sends a signal to a node.
    pub fn signal(&self, id: &str, signal: Signal) {
        let pid = i32::try_from(self.nodes[id].id()).unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
    }

    /// Kills a node, and waits until it is gone.
    pub fn kill(&mut self, id: &str) -> ExitStatus {
        self.signal(id, Signal::SIGKILL);
        self.nodes.get_mut(id).unwrap().wait().unwrap()
    }

    /// Sends a body to the coordinator. Returns status and answer.
    pub fn post(&self, path: &str, body: &str) -> (u16, Value) {
        let request = self.http.post(format!("http://{}{path}", self.addresses["c1"]));
        let sent = http_client::send(request.body(body.to_owned()));
        let (status, body) = self.exchange(sent).unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// Asks the coordinator for something. Returns status and answer.
    pub fn get(&self, path: &str) -> (u16, Value) {
        let (status, body) = self.get_at("c1", path).unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    fn get_at(&self, id: &str, path: &str) -> Result<(u16, Vec<u8>), HttpError> {
        let request = self.http.get(format!("http://{}{path}", self.addresses[id]));
        self.exchange(http_client::send(request))
    }

    fn exchange(
        &self,
        sent: impl Future<Output = Result<Response, HttpError>>,
    ) -> Result<(u16, Vec<u8>), HttpError> {
        self.runtime.block_on(async {
            let answer = sent.await?;
            let status = answer.status().as_u16();
            Ok((status, http_client::read(answer, 1 << 20).await?.to_vec()))
        })
    }

    /// Starts a job. Returns its name.
    pub fn submit(&self, app: &str, inputs: &[PathBuf], reducers: u32) -> String {
        let body = json!({ "app": app, "inputs": inputs, "reducers": reducers });
        let (status, answer) = self.post("/v1/jobs", &body.to_string());
        assert_eq!(status, 200, "{answer}");
        answer["ok"]["job"].as_str().unwrap().to_owned()
    }

    /// How far a job is.
    pub fn status(&self, job: &str) -> Value {
        let (status, mut answer) = self.get(&format!("/v1/jobs/{job}"));
        assert_eq!(status, 200, "{answer}");
        answer["ok"].take()
    }

    /// Waits until the job has ended. Returns its status.
    pub fn wait(&self, job: &str) -> Value {
        wait_for("the end of a job", || {
            let status = self.status(job);
            ["done", "failed"].contains(&status["state"].as_str().unwrap()).then_some(status)
        })
    }

    /// The contents of the job's outputs, after it is done.
    pub fn outputs(&self, job: &str) -> Vec<String> {
        let status = self.wait(job);
        assert_eq!(status["state"], "done", "{status}");
        let read = |path: &Value| fs::read_to_string(path.as_str().unwrap()).unwrap();
        status["outputs"].as_array().unwrap().iter().map(read).collect()
    }

    /// Waits until neither the shared folder nor those of nodes have anything but outputs in them.
    pub fn wait_until_clean(&self) {
        wait_for("folders with nothing but outputs", || {
            let data = self.addresses.keys().flat_map(|id| names(&self.data(id)));
            let left =
                names(&self.shared()).into_iter().filter(|name| !name.starts_with("mr-out-"));
            (data.count() == 0 && left.count() == 0).then_some(())
        });
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in self.nodes.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The names of what is in a folder, in order.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Writes documents of a few hundred words each. Returns their paths.
pub fn documents(folder: &Path, count: usize) -> Vec<PathBuf> {
    let write = |number: usize| {
        let path = folder.join(format!("document-{number}.txt"));
        let word = |place: usize| {
            let letters = ["ab", "c", "dé", "f", "gh", "数"];
            let rank = (number * 31 + place * place) % 211;
            [letters[rank % 6], letters[rank / 6 % 6], letters[rank / 36]].concat()
        };
        let text: Vec<String> = (0..300).map(word).collect();
        fs::write(&path, text.join(if number.is_multiple_of(2) { " " } else { ".\n" })).unwrap();
        path
    };
    (0..count).map(write).collect()
}

/// What the sequential run gives for these documents.
pub fn sequential(app: &str, inputs: &[PathBuf], reducers: u32) -> Vec<String> {
    let out = tempfile::tempdir().unwrap();
    let ended = Command::new(env!("CARGO_BIN_EXE_mapreduce"))
        .args(["sequential", "--app", app, "--reducers", &reducers.to_string(), "--out"])
        .arg(out.path())
        .args(inputs)
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let read = |number| fs::read_to_string(out.path().join(format!("mr-out-j1-{number}"))).unwrap();
    (0..reducers).map(read).collect()
}
