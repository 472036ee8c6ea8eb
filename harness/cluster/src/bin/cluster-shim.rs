//! The shim as an executable of its own, for using the crate without the harness. `cluster-shim supervise FOLDER
//! PROGRAM [ARGUMENT…]` starts a node in FOLDER, prints its process id and waits for its end; whatever ends this
//! process ends the node's whole tree.

use std::ffi::OsString;
use std::path::PathBuf;

use cluster::{NodeProcess, NodeSpec, shim};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    shim::run_if_requested();
    let mut arguments = std::env::args_os().skip(1);
    let (Some(word), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: cluster-shim supervise FOLDER PROGRAM [ARGUMENT…]".into());
    };
    if word != "supervise" {
        return Err(format!("unknown command {}", word.display()).into());
    }
    supervise(PathBuf::from(folder), arguments.collect())
}

fn supervise(folder: PathBuf, argv: Vec<OsString>) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let spec = NodeSpec {
            id: "node".into(),
            argv,
            environment: Vec::new(),
            stdout: folder.join("stdout.log"),
            stderr: folder.join("stderr.log"),
            folder,
            stamps_since: None,
            limits: cluster::Limits::default(),
            confinement: None,
            shim: shim::this_executable()?,
        };
        let node = NodeProcess::start(&spec).await?;
        println!("{}", node.pid());
        println!("{}", node.exited().await);
        node.kill().await?;
        Ok(())
    })
}
