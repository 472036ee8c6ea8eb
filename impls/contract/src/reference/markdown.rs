//! The reference page for people.

use std::fmt::Write as _;

use super::example_request;
use crate::{
    Answer, ErrorCode, Refusal,
    endpoints::{ENDPOINTS, Endpoint, STATUS},
    errors::{ERRORS, RETRIES, STOPS},
    launch::{VARIABLES, VIEW_SERVICE},
    manifest::{CAPABILITIES, Capability, FILE_NAME, KEYS, RUNGS, Rung, TIMEOUTS, Timeouts},
    mapreduce::{
        self, COORDINATOR, JOBS_PATH, JobAnswer, JobRequest, JobStatus, Part, Progress, State,
    },
    operations::{Field, OPERATIONS, OperationEntry},
    peer::{HEADERS, PEERS, PeerEntry},
    view::{FIELDS, PING_PATH, Ping, VIEW_PATH, View},
};

/// The reference page in Markdown.
#[must_use]
pub fn markdown() -> String {
    let sections = [
        INTRODUCTION.to_owned(),
        manifest(),
        launch(),
        client_api(),
        operations(),
        errors(),
        view_service(),
        SHARD_CONTROLLER.to_owned(),
        mapreduce(),
        EXACTLY_ONCE.to_owned(),
        introspection(),
        LOG.to_owned(),
        peer_traffic(),
        MUST_NOT.to_owned(),
    ];
    sections.join("\n")
}

const INTRODUCTION: &str = "\
<!-- Generated from the registries in src/. To change it, change them, then: UPDATE_REFERENCE=1 cargo test -p contract -->
# The contract

What a store must speak to be tested, in any language: one HTTP API for clients, one environment for its start, and a
few rules. A machine-readable form of the API is in [`openapi.json`](openapi.json).

A part marked *(not yet)* has its name reserved: no version of the bench uses it so far, and a store needs none of it.
";

const PROMISES: &str = "
### Consistency: `promises`

The level that the store keeps, by its name in the literature: for transactions `read-committed`, `snapshot-isolation`,
`serializable`, `strong-session-serializable` or `strict-serializable`, among others; for single keys `linearizable`. Each
operation counts as a transaction. The bench checks nothing that the store does not promise: workloads that would are
refused.
";

const EXACTLY_ONCE: &str = "\
## Exactly once

Optional (`exactly-once`). A store without it gets each write once: again only after an attempt that ended in a definite
error, or was never sent. Reads may come again. A store with it keeps these rules:

- A retry is the same `client`, `seq` and `op`, sent to any node. It must not take effect a second time.
- For the last `seq` of a client the answer is the one it got, or would have got, the first time: keep it, also
  through fail-over, snapshots and restarts.
- For an earlier `seq` the answer is `stale_seq`.
- One answer a client is enough: memory must not grow with the number of operations.

With and without it:

- A client has one operation outstanding and counts its operations 1, 2, 3… in `seq`.
- One operation in the record spans all its attempts, from before the first byte of the first until after the last
  byte of the answer. It counts as failed only where every attempt ended in a definite error.
";

const LOG: &str = "\
## The log

Optional (`log`), for a store whose nodes agree on what stands in each slot of a log. Checks look inside then: they compare
what nodes say. A store without `log` gets no verdict from that, whatever its status says.

```
GET /v1/log?from=12&to=14
200  {\"entries\":[{\"slot\":12,\"value\":\"3f9ac02b\"},{\"slot\":13,\"value\":\"77e10d54\"}]}
```

A node answers with the entries that it knows to be chosen (committed) in the slots from `from` up to, but not including,
`to`. It leaves out slots that are not chosen yet, and those that only a snapshot holds. The entries are in the order of
their slots, at most 1000 and one mebibyte of them: whoever wants more asks again, from the slot after the last one. The
`value` is any text that is equal at two nodes if and only if the entry is the same; a digest does. Several commands may
share a slot.

Where a store is sharded, each group has a log and terms of its own, and so have the shard controllers: what follows is about the nodes
of one of them.

With `log`, these are promises, also of a node that was killed and started again:

- What a node once said was chosen in a slot is chosen for good: no node ever says another value for that slot.
- No two nodes ever say, at whatever time, that they lead (`role` is `leader` or `primary`) with the same `term`, or that they
  led in it (`led`). A ballot round that two nodes can share is no such `term`; round times the number of nodes, plus the node's
  place among them, is.
- What a node says it `promised` never goes down. Once it has said who has its vote (`voted`), it says that as long as the term is
  the same; a store without votes leaves `voted` out, and so does one whose ballot rounds two nodes can share. A node that does not
  know yet what it promised, because it still reads its disk or asks the others, leaves `promised` out, or answers 503: 0 is a
  promise, too.
- `GET /v1/status` has `role`, `term` and `commit`. All slots up to `commit` are chosen.
";

const VIEW_SERVICE_API: &str = "\
## The view service

Only for the rung `view-service`. It is one process and does not fail. Servers ping it, several at once; each ping is
answered with the current view, and so is the question for it. The service calls nobody.

";

const VIEW_SERVICE_RULES: &str = "
Rules, those of the courses:

1. **Views.** Before any server pinged, the view is number 0 without primary and backup. The first server that pings is the
   primary of view 1. From then on each view has a primary. Numbers go up by one, a view never changes under its
   number, and two views that follow each other differ in primary or backup.
2. **Acknowledgement.** A primary acknowledges a view by pinging with its number. Until the primary of the current view has
   done so, the view does not change, whoever dies.
3. **Dead.** A server is dead that has not pinged for `DS_ELECTION_MS`; it is alive again with its next ping. A primary or
   backup that pings with 0 in an acknowledged view has restarted without its data: it counts as dead, though it pings. (A
   backup that never pinged with the number of the current view may not know that view yet: it may count as dead or not.)
4. **A new view** is due when the primary is dead and the backup is not: the backup becomes primary. So it is when the primary
   is alive and the backup is dead: the backup is removed. And so it is when the primary is alive, there is no backup, and an
   idle server, one that pings and is in no view, is there: it becomes the backup.
5. **Idle servers** may become backup in the same view in which the former backup left or was promoted, or in the next one.
   One that is dead is never made backup.
6. **Nobody else** becomes primary: never an idle server, which has no data, and never a backup that has restarted. Where both
   are dead, nothing has to happen; the service may wait for ever. Where only the backup is silent, or nobody is dead, the
   primary stays.

When exactly a server counts as dead is left to the service, within limits. It is wrong to take one for dead that was silent for
less than half of `DS_ELECTION_MS`, and wrong not to have made a view that has been due for twice `DS_ELECTION_MS`. Between
these, either is right. A service that looks only now and then, such as once in `DS_HEARTBEAT_MS`, is right.

The bench answers for what it sends: it pings with the id of a server in `DS_MEMBERS`, one ping at a time for each, and with 0,
the number of the view that this server was told last, or that of the view before. Anything else is a `bad_request`.
";

const SHARD_CONTROLLER: &str = "\
## The shard controller

Only for the rung `shard-controller` (capability `configurations`). Several nodes keep one sequence of configurations, each of
which says which replica groups there are and which group owns which of the `DS_SHARDS` shards. They are asked like any store,
by `POST /v1/op`, with the operations [`join`](#join), [`leave`](#leave), [`move`](#move) and [`query`](#query). The servers of a
group are names to a controller; the bench of this rung starts none of them.

Rules, those of the courses:

1. **Configurations** are numbered from 0. Number 0 has no groups, and nobody owns anything: each shard's owner is `null`, as it is
   whenever there are no groups. Otherwise each shard is owned by a group that is there.
2. **Changes.** Each `join`, `leave` and `move` that succeeds makes one configuration, with the next number. What is refused makes
   none. A configuration never changes.
3. **Balance.** After a `join` and after a `leave`, no group owns two shards more than another one, and as few shards as possible have
   changed their owner. With more groups than shards, some own none.
4. **Moves.** After a `move`, that shard has its new owner, and nothing else has changed. The next `join` or `leave` balances anew.
5. **Queries.** A negative number, or one past the latest, asks for the latest configuration: linearizably, at whichever node.

The shard of a key is the number that its last characters spell, if they are ASCII digits, modulo the number of shards; else the
FNV-1a hash of 32 bits of the whole key, modulo the number of shards.
";

const MAPREDUCE_API: &str = "\
## MapReduce

Only for the rung `mapreduce`. One coordinator gives out tasks, workers do them. Only the coordinator is asked.

";

const MAPREDUCE_RULES: &str = "
A request that makes no sense is a `bad_request`, a job that the coordinator does not know `not_found` (status 404).

1. **Words** are the longest runs of the letters A to Z and a to z; large and small ones differ. The documents of the bench are
   ASCII.
2. **Outputs** are text, a line a word that occurs: the word, a space, its result. For `wordcount` that is how often the word occurs in
   all documents together. For `index` it is the number of documents that it occurs in, a space, and their paths as they are in
   `inputs`, each once, in the order of their bytes, with commas between them.
3. **Where.** Outputs are regular files in `DS_SHARED`, their names are free. In which output a word's line is, and in which order the lines
   are, is free, too. Each word has one line in all outputs of its job together. An output may be empty.
4. **Finished** is finished: once the state is `done`, the outputs are whole, and nothing changes them any more. Each job has outputs of
   its own. With right inputs no job fails.
5. **Workers die.** A worker may be killed and started again, stand still for shorter or longer than `DS_TASK_MS` and go on, or be cut
   off. Each word is counted as in a sequential run all the same, and as long as one worker lives and reaches the coordinator, jobs come
   to their ends. A worker that is killed takes with it what it has in `DS_DATA` until it is back, and perhaps what others ask it for.
6. **The coordinator does not fail**: it is neither killed nor paused (section 3.3 of the paper: it keeps its books in memory). Its links
   are cut and disturbed like all others.
";

const PEER_TRAFFIC: &str = "\
## Peer traffic

With `peer = \"http\"`, nodes talk HTTP/1.1 to each other: any path, any body, `Content-Length` or chunked, no TLS, no
upgrade. One request is one message, or one call and its reply. The bench stands in between, and so a node must
tolerate that

- a request is lost, or its reply;
- a request is delivered twice;
- a request is late, or overtakes an earlier one;
- a connection is reset.
";

const CLOCKS: &str = "
Both clocks are those of the message's sending, however often and late the message is then sent. A node counts its own
sendings at least, from 1, and goes on counting where it was when it is restarted. The vector's ids are those of `DS_NODE`;
others are ignored. A header with more than 2048 bytes, 64 ids, or 64 bytes in an id is not read. The report says whether the
clocks contradict each other or what had passed by then; no verdict depends on that. `harness export RUN --shiviz` draws what
they say.
";

const MUST_NOT: &str = "\
## What a node must not do

- Exchange real addresses: nodes are named by id everywhere, and hints are ids.
- Send or follow redirects: `Location` would lead around the faults.
- Write outside `DS_DATA` and `DS_SHARED`.
- Open connections to anything but the addresses in `DS_PEERS`.
- Acknowledge what a SIGKILL in the next instant would lose.
";

const PORTS_AND_CLIENT: &str = "
### Databases that do not speak the contract: `ports`, `client`

With `ports`, each node has an address of its own, 127.0.0.1, 127.0.0.2 and so on, and listens on the same ports there; it needs a \
machine that lets the bench confine nodes (`harness doctor`). `DS_LISTEN` is the first port. `DS_PORTS` are the others, such as \
`{\"2380\":\"127.0.0.1:2380\"}`, and `DS_PEERS` says where each port of the other nodes is, such as \
`{\"n2\":{\"2379\":\"127.0.0.2:2379\",\"2380\":\"127.0.0.2:2380\"}}`. All nodes know one another by the same addresses. What they say \
need not be HTTP.

With `client`, one such program runs beside each node, outside of all that is broken: killing the node leaves it alone, and what it \
sends to the node passes the links of the clients. It answers the client API, `GET /healthz` (it runs) and `GET /readyz` (its node \
serves) at its own `DS_LISTEN`. `DS_NODE` is its node, `DS_TARGETS` says where it reaches the node's ports, such as \
`{\"n1\":{\"2379\":\"127.0.0.1:40001\"}}`, and `DS_LIMIT_MS` how long clients wait for an operation. It asks its node only, and once for each \
request. Without `exactly-once` among the `caps` no request is sent twice.
";

fn manifest() -> String {
    let mut page = format!(
        "## The manifest: `{FILE_NAME}`\n\nAt the root of the implementation's folder:\n\n```toml\n"
    );
    for entry in &KEYS {
        line(&mut page, &format!("{} = {}", entry.name, entry.example));
    }
    page.push_str("```\n\n| key | needed | meaning |\n|---|---|---|\n");
    for entry in &KEYS {
        let needed = if entry.required { "yes" } else { "no" };
        line(&mut page, &format!("| `{}` | {needed} | {} |", entry.name, entry.meaning));
    }
    page.push_str(PORTS_AND_CLIENT);
    page.push_str("\nAn unknown key is an error that names the key and the line. The manifest is a regular file, not a link to one.\n");
    page.push_str(
        "\n### Rungs: `serves`\n\n| rung | from the courses | must hold | needs |\n|---|---|---|---|\n",
    );
    for entry in &RUNGS {
        let needs = in_code(entry.needs);
        let row = format!("| `{}` | {} | {} | {needs} |", entry.name, entry.course, entry.meaning);
        line(&mut page, &row);
    }
    page.push_str("\n### How peers talk: `peer`\n\n| value | meaning |\n|---|---|\n");
    peer_rows(&mut page, &PEERS);
    page.push_str("\n### Capabilities: `caps`\n\n| capability | promise |\n|---|---|\n");
    for entry in &CAPABILITIES {
        line(&mut page, &format!("| `{}` | {} |", entry.name, entry.meaning));
    }
    page.push_str("\nOf a store with keys, `get` and `put` are never optional.\n");
    page.push_str(PROMISES);
    timeouts_into(&mut page);
    page
}

fn timeouts_into(page: &mut String) {
    page.push_str(
        "\n### Timeouts: `timeouts`\n\nThe bench waits for a store so many milliseconds. Raise them for a store that is \
         slow by nature; each may be left out.\n\n\
         | key | default | at least | at most | meaning |\n|---|---|---|---|---|\n",
    );
    for entry in &TIMEOUTS {
        let (name, default_ms, meaning) = (entry.name, entry.default_ms, entry.meaning);
        let (min_ms, max_ms) = (entry.min_ms, entry.max_ms);
        line(page, &format!("| `{name}` | {default_ms} | {min_ms} | {max_ms} | {meaning} |"));
    }
    let [attempt, operation, recovery, ..] = TIMEOUTS.map(|entry| entry.name);
    let order = format!(
        "\n`{attempt}` must not be longer than `{operation}`, nor `{operation}` than `{recovery}`."
    );
    line(page, &order);
}

fn launch() -> String {
    let mut page = "## The launch: environment\n\nThe reference implementations accept each variable as a flag of \
                    the same name as well.\n\n| variable | example | meaning |\n|---|---|---|\n"
        .to_owned();
    for entry in &VARIABLES {
        let mark = entry.availability.mark();
        let row = format!("| `{}`{mark} | `{}` | {} |", entry.name, entry.example, entry.meaning);
        line(&mut page, &row);
    }
    let rules = format!(
        "\nBind within {} s (`timeouts.bind_ms`), with SO_REUSEADDR (as nearly every HTTP server does: the port is \
         reserved for this node). Survive SIGKILL and SIGSTOP at any moment. Make durable before acknowledging. Log \
         to stderr.",
        Timeouts::default().bind().as_secs()
    );
    line(&mut page, &rules);
    let view_service = format!(
        "\nFor the rung `{}` the bench starts one more process of the same command: the view service, `{VIEW_SERVICE}`, with \
         `DS_ROLE=view`. How it and the servers talk is theirs, over `DS_PEERS` like all peers; clients never ask it. As in \
         the courses it does not fail: it is neither killed nor paused while clients are at work. But its links are cut and \
         disturbed like all others, and where all nodes are killed at once and started again (capability `restart`), so is \
         it.",
        Rung::PrimaryBackup.name()
    );
    line(&mut page, &view_service);
    let alone = format!(
        "\nFor the rung `{}` the bench starts the view service `{VIEW_SERVICE}` and no other process, also with \
         `DS_ROLE=view`. It plays the servers in `DS_MEMBERS` itself, so `DS_PEERS` is `{{}}` and there is nobody to connect \
         to. `DS_HEARTBEAT_MS` is how often a server pings, `DS_ELECTION_MS` how long it may be silent before it counts as \
         dead. For each of its scripts the bench starts the process anew, with an empty `DS_DATA`; nothing else is broken.",
        Rung::ViewService.name()
    );
    line(&mut page, &alone);
    let controllers = format!(
        "\nFor the rung `{}` all nodes are controllers: `DS_ROLE=controller`, and `DS_CONTROLLERS` is `DS_MEMBERS`.",
        Rung::ShardController.name()
    );
    line(&mut page, &controllers);
    let sharded = format!(
        "\nFor the rungs `{}` and `{}` the bench starts two groups, `g1` and `g2`, of three nodes each, and three shard controllers, \
         `c1` to `c3`, all by the same command. `DS_GROUP` says which group a node belongs to, `DS_MEMBERS` who else does, and \
         `DS_PEERS` reaches everybody. The bench has both groups `join` before its clients come. Clients ask the controllers who owns \
         a key's shard, keep that, and ask again when they are told `wrong_group`. An operation on several keys is sent to the owner of \
         the first key that it names.",
        Rung::ShardedKv.name(),
        Rung::ShardedTxn.name(),
    );
    line(&mut page, &sharded);
    let mapreduce = format!(
        "\nFor the rung `{}` the bench starts a coordinator, `{COORDINATOR}` (`DS_ROLE=mr-coordinator`), and workers, `w1` and so on \
         (`DS_ROLE=mr-worker`), all by the same command. `DS_MEMBERS` are the workers, and `DS_PEERS` reaches everybody. The inputs of \
         jobs are in `DS_SHARED`, too. `GET /readyz` of a worker is 200 once it can work.",
        Rung::Mapreduce.name(),
    );
    line(&mut page, &mapreduce);
    page
}

fn client_api() -> String {
    let mut page = "## The client API\n\nHTTP/1.1 and JSON on `DS_LISTEN`.\n\n\
                    | request | answer |\n|---|---|\n"
        .to_owned();
    for endpoint in &ENDPOINTS {
        line(&mut page, &endpoint_row(endpoint));
    }
    let refusal =
        Refusal { hint: Some("n2".to_owned()), ..Refusal::new(ErrorCode::NotLeader, "n2 leads") };
    page.push_str(
        "\nA success is status 200 with `{\"ok\":…}`. Anything else is an error with its code's status:\n\n",
    );
    page.push_str(&format!("```json\n{}\n```\n", json(&Answer::Error(refusal))));
    page
}

fn endpoint_row(endpoint: &Endpoint) -> String {
    let Endpoint { method, path, query, answer, availability } = endpoint;
    let query = match query {
        [] => String::new(),
        names => format!("?{}=", names.join("=&")),
    };
    format!("| `{method} {path}{query}`{} | {answer} |", availability.mark())
}

fn operations() -> String {
    let mut page = "## Operations\n\n| operation | needs | meaning |\n|---|---|---|\n".to_owned();
    for entry in OPERATIONS {
        let needs = in_code(entry.capability);
        let row = format!("| [`{0}`](#{0}) | {needs} | {1} |", entry.name, entry.meaning);
        line(&mut page, &row);
    }
    page.push_str("\nFields that a result does not need are ignored. `null` stands for a missing key; the empty string is a value.\n");
    for entry in OPERATIONS {
        page.push('\n');
        page.push_str(&operation(entry));
    }
    page
}

fn operation(entry: &OperationEntry) -> String {
    let mut page = format!("### {}\n\n{}\n\n", entry.name, entry.meaning);
    page.push_str("| field | holds | meaning |\n|---|---|---|\n");
    for field in entry.fields {
        line(&mut page, &row("", field));
    }
    for field in entry.result {
        line(&mut page, &row("→ ", field));
    }
    if entry.result.is_empty() {
        page.push_str("| → | | nothing: `{}` |\n");
    }
    page.push_str("\n```\n");
    line(&mut page, &format!("POST /v1/op  {}", json(&example_request(entry))));
    for outcome in (entry.example)().1 {
        line(&mut page, &format!("200          {}", json(&Answer::Ok(outcome))));
    }
    page.push_str("```\n");
    page
}

fn row(arrow: &str, field: &Field) -> String {
    let optional = if field.required { "" } else { ", optional" };
    format!("| {arrow}`{}` | {}{optional} | {} |", field.name, field.shape.words, field.meaning)
}

fn errors() -> String {
    let mut page = "## Errors\n\nA definite error promises that this attempt did not and never will take effect. \
                    Where that is not certain, `timeout` or `internal` is the only right answer.\n\n\
                    | code | HTTP | definite | meaning | the client then |\n|---|---|---|---|---|\n"
        .to_owned();
    for entry in &ERRORS {
        let definite = if entry.definite { "yes" } else { "**no**" };
        let row = format!(
            "| `{}` | {} | {definite} | {} | {} |",
            entry.name, entry.status, entry.meaning, entry.clerk
        );
        line(&mut page, &row);
    }
    let row = format!(
        "| closed or reset connection | – | **no** | Nobody knows. | {RETRIES} |\n\
         | anything unparsable | – | **no** | Nobody knows. | {STOPS} |"
    );
    line(&mut page, &row);
    page
}

fn view_service() -> String {
    let mut page = VIEW_SERVICE_API.to_owned();
    page.push_str("| field | holds | meaning |\n|---|---|---|\n");
    for field in FIELDS {
        let arrow = if field.is_answer { "→ " } else { "" };
        let kinds = field.kinds.join(" or ");
        line(&mut page, &format!("| {arrow}`{}` | {kinds} | {} |", field.name, field.meaning));
    }
    let server = |id: &str| Some(id.to_owned());
    let view = |num, primary, backup| json(&View { num, primary, backup });
    let first = json(&Ping { node: "n1".to_owned(), view: 0 });
    let later = json(&Ping { node: "n1".to_owned(), view: 3 });
    page.push_str("\n```\n");
    line(&mut page, &format!("GET  {VIEW_PATH}"));
    line(&mut page, &format!("200            {{\"ok\":{}}}", view(0, None, None)));
    line(&mut page, &format!("POST {PING_PATH}  {first}"));
    line(&mut page, &format!("200            {{\"ok\":{}}}", view(1, server("n1"), None)));
    line(&mut page, &format!("POST {PING_PATH}  {later}"));
    line(&mut page, &format!("200            {{\"ok\":{}}}", view(4, server("n1"), server("n2"))));
    page.push_str("```\n");
    page.push_str(VIEW_SERVICE_RULES);
    page
}

fn mapreduce() -> String {
    let mut page = MAPREDUCE_API.to_owned();
    page.push_str("| field | holds | meaning |\n|---|---|---|\n");
    for field in mapreduce::FIELDS {
        let arrow = if field.part == Part::Request { "" } else { "→ " };
        let optional = if field.required { "" } else { ", optional" };
        let (name, kind, meaning) = (field.name, field.kind, field.meaning);
        line(&mut page, &format!("| {arrow}`{name}` | {kind}{optional} | {meaning} |"));
    }
    let inputs = ["a", "b"].map(|name| format!("/shared/in/{name}")).to_vec();
    let request = json(&JobRequest { app: mapreduce::WORDCOUNT.to_owned(), inputs, reducers: 1 });
    let progress = |done, total| Progress { done, total };
    let going_on = JobStatus {
        state: State::Map,
        map: progress(1, 2),
        reduce: progress(0, 1),
        outputs: None,
        error: None,
    };
    let done = JobStatus {
        state: State::Done,
        map: progress(2, 2),
        reduce: progress(1, 1),
        outputs: Some(vec!["/shared/mr-out-j1-0".to_owned()]),
        error: None,
    };
    let job = "j1".to_owned();
    page.push_str("\n```\n");
    line(&mut page, &format!("POST {JOBS_PATH}  {request}"));
    line(&mut page, &format!("200            {{\"ok\":{}}}", json(&JobAnswer { job })));
    for status in [going_on, done] {
        line(&mut page, &format!("GET  {JOBS_PATH}/j1"));
        line(&mut page, &format!("200            {{\"ok\":{}}}", json(&status)));
    }
    page.push_str("```\n");
    page.push_str(MAPREDUCE_RULES);
    page
}

fn introspection() -> String {
    let mut page = "## Introspection\n\nOptional (`introspect`): `GET /v1/status` answers with an object; a node \
                    leaves out what it does not have.\n\n| field | type | meaning |\n|---|---|---|\n"
        .to_owned();
    for entry in &STATUS {
        line(&mut page, &format!("| `{}` | {} | {} |", entry.name, entry.kind, entry.meaning));
    }
    page
}

fn peer_traffic() -> String {
    let mut page = PEER_TRAFFIC.to_owned();
    page.push_str("\nOptional headers make the reports richer; no store needs them.\n\n");
    page.push_str("| header | meaning |\n|---|---|\n");
    peer_rows(&mut page, &HEADERS);
    page.push_str(CLOCKS);
    page
}

fn in_code(needed: Option<Capability>) -> String {
    needed.map_or("–".to_owned(), |needed| format!("`{}`", needed.name()))
}

fn peer_rows(page: &mut String, entries: &[PeerEntry]) {
    for entry in entries {
        line(
            page,
            &format!("| `{}`{} | {} |", entry.name, entry.availability.mark(), entry.meaning),
        );
    }
}

fn line(page: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(page, "{text}");
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
