//! Records who leads, as far as the nodes say.

use std::{sync::Arc, time::Duration};

use contract::NodeId;
use record::Mark;

use super::nodes::Nodes;
use crate::stream::Stream;

/// Asks these nodes who of them leads until it is aborted, with a `pause` between two questions, and puts each change into the
/// record. Ends at once where the store cannot say.
pub async fn watch(
    nodes: Arc<Nodes>,
    electorate: Vec<NodeId>,
    stream: Arc<Stream>,
    pause: Duration,
) {
    let mut known = None;
    while nodes.can_say_who_leads() {
        let leader = nodes.leader_among(&electorate).await;
        if known.as_ref() != Some(&leader) {
            stream.mark(&Mark::Leader(leader.clone()));
            known = Some(leader);
        }
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::{Router, extract::State, routing::get};
    use cluster::NodeSpec;
    use record::LeaderChange;

    use contract::manifest::Timeouts;

    use super::*;
    use crate::stream::{Reader, RunEvent};

    type Said = Arc<Mutex<String>>;

    /// A node that says of itself what it is told to, and what starts it: nothing.
    async fn node(id: &str) -> (Said, (NodeSpec, std::net::SocketAddr)) {
        let said = Said::default();
        let answer = |State(said): State<Said>| async move { said.lock().unwrap().clone() };
        let router = Router::new().route("/v1/status", get(answer)).with_state(Arc::clone(&said));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let spec = NodeSpec {
            id: id.to_owned(),
            argv: Vec::new(),
            folder: "/".into(),
            environment: Vec::new(),
            stdout: "/dev/null".into(),
            stderr: "/dev/null".into(),
            stamps_since: None,
            limits: cluster::Limits::default(),
            confinement: None,
            shim: "/dev/null".into(),
        };
        (said, (spec, address))
    }

    #[derive(Clone, Default)]
    struct Leaders(Arc<Mutex<Vec<Option<String>>>>);

    impl Reader for Leaders {
        fn read(&mut self, event: &RunEvent) -> std::io::Result<()> {
            if let RunEvent::History(event) = event {
                self.0.lock().unwrap().extend(LeaderChange::of(event).map(|change| change.node));
            }
            Ok(())
        }
    }

    impl Leaders {
        async fn until(&self, expected: &[Option<&str>]) {
            for _ in 0..1000 {
                let known = self.0.lock().unwrap().clone();
                if known.iter().map(Option::as_deref).eq(expected.iter().copied()) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            panic!("{:?}, not {expected:?}", self.0.lock().unwrap());
        }
    }

    #[tokio::test]
    async fn each_change_is_recorded_once_and_the_highest_term_counts() {
        let ((first, n1), (second, n2)) = (node("n1").await, node("n2").await);
        let say = |node: &Said, text: &str| text.clone_into(&mut node.lock().unwrap());
        let nodes = Arc::new(Nodes::new(vec![n1, n2], Timeouts::default(), true));
        let both = ["n1", "n2"].map(str::to_owned).to_vec();
        let leaders = Leaders::default();
        let (stream, _) = Stream::start(vec![Box::new(leaders.clone())]).unwrap();
        let watching = tokio::spawn(watch(nodes, both, stream, Duration::from_millis(5)));
        leaders.until(&[None]).await;
        say(&first, r#"{"role":"leader","term":3}"#);
        leaders.until(&[None, Some("n1")]).await;
        // A leader that does not know yet that it was deposed.
        say(&second, r#"{"role":"leader","term":4}"#);
        leaders.until(&[None, Some("n1"), Some("n2")]).await;
        say(&second, "nonsense");
        say(&first, r#"{"role":"follower","term":4}"#);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let known = leaders.0.lock().unwrap().clone();
        assert_eq!(known.last(), Some(&None));
        watching.abort();
    }

    #[tokio::test]
    async fn a_store_that_cannot_say_who_leads_is_not_asked() {
        let (said, n1) = node("n1").await;
        r#"{"role":"leader","term":3}"#.clone_into(&mut said.lock().unwrap());
        let leaders = Leaders::default();
        let (stream, _) = Stream::start(vec![Box::new(leaders.clone())]).unwrap();
        let nodes = Arc::new(Nodes::new(vec![n1], Timeouts::default(), false));
        watch(nodes, vec!["n1".to_owned()], Arc::clone(&stream), Duration::from_millis(5)).await;
        stream.flush().await.unwrap();
        leaders.until(&[]).await;
    }
}
