//! `harness doctor`: what this machine can and cannot do, and what each lack means.

use cluster::probe::Ability;

use super::{block_on, say, say_json};
use crate::{
    cli::DoctorArguments,
    confine::{Confine, Confined, MEANS},
    exit::{Exit, Failure},
};

/// Probes the machine and prints what was found.
///
/// # Errors
/// The current directory is not known.
pub fn doctor(arguments: &DoctorArguments) -> Result<Exit, Failure> {
    let mut abilities = cluster::probe::abilities(&std::env::current_dir()?);
    abilities.push(block_on(async { Ok(confinement().await) })?);
    if arguments.json {
        let rows: Vec<_> = abilities
            .iter()
            .map(|ability| {
                serde_json::json!({
                    "name": ability.name,
                    "available": ability.available,
                    "detail": ability.detail,
                    "without_it": ability.means,
                })
            })
            .collect();
        say_json(&serde_json::json!({ "abilities": rows }));
        return Ok(Exit::Valid);
    }
    for ability in &abilities {
        let mark = if ability.available { "yes" } else { "NO " };
        say(&format!("{mark}  {:<20} {}", ability.name, ability.detail));
        if !ability.available {
            say(&format!("     {:<20} without it: {}", "", ability.means));
        }
    }
    Ok(Exit::Valid)
}

async fn confinement() -> Ability {
    let (available, detail) = match Confine::Auto.decide().await {
        Ok(Confined::Namespaces) => (true, "started a process in one".to_owned()),
        Ok(Confined::No(why)) => (false, why),
        Err(failure) => (false, failure.to_string()),
    };
    Ability { name: "a world for each node", available, detail, means: MEANS }
}
