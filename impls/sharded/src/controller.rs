//! What groups ask controllers, and where a client goes that asked the wrong node.

use contract::{Configuration, ErrorCode, NodeId, Refusal, Request};
use node::{Effects, Replicates};
use shard_controller::Controller;

use crate::{
    carried::Carried,
    message::{Message, Origin},
    node::{Identity, Node},
};

/// Any controller that knows a configuration may give it away: it is chosen, and never changes.
pub(crate) fn on_query<P: Replicates<Application = Carried>>(
    inner: &P,
    from: &NodeId,
    num: u64,
    effects: &mut Effects<Node<P>>,
) {
    let Carried::Controller(controller) = inner.application() else { return };
    let controller = controller.application();
    if controller.latest().num < num {
        return;
    }
    let Ok(asked) = i64::try_from(num) else { return };
    let configuration = controller.configuration(asked).clone();
    let origins = origins(controller, &configuration);
    effects.send(from, Message::Configuration { configuration, origins });
}

/// Where each shard comes from that has another owner than in the configuration before.
fn origins(controller: &Controller, configuration: &Configuration) -> Vec<Option<Origin>> {
    let before = |num: u64| {
        let nums = (0..num).rev();
        nums.map(|num| controller.configuration(i64::try_from(num).unwrap_or(i64::MAX)))
    };
    let origin = |(shard, owner): (usize, &Option<String>)| {
        let last = before(configuration.num).next()?;
        if last.shards[shard] == *owner {
            return None;
        }
        let last = before(configuration.num).find(|one| one.shards[shard].is_some())?;
        let group = last.shards[shard].clone()?;
        let servers = last.groups.get(&group).cloned().unwrap_or_default();
        Some(Origin { group, servers, lost_in: last.num + 1 })
    };
    configuration.shards.iter().enumerate().map(origin).collect()
}

/// Why this node is the wrong one: controllers hold no keys, groups no configurations for clients. The hint leads on.
pub(crate) fn misdirected<P: Replicates<Application = Carried>>(
    inner: &P,
    identity: &Identity,
    request: &Request,
) -> Option<Refusal> {
    let (hint, message) = match inner.application() {
        Carried::Controller(_) if request.op.is_of_controllers() => return None,
        Carried::Controller(controller) => {
            let latest = controller.application().latest();
            let owner = request.op.keys().first().and_then(|key| latest.owner(key));
            let servers = owner.and_then(|owner| latest.groups.get(owner));
            (servers.and_then(|servers| servers.first()), "a shard controller has no keys")
        }
        Carried::Group(_) if request.op.is_of_controllers() => {
            (identity.controllers.first(), "ask a shard controller")
        }
        Carried::Group(_) => return None,
    };
    Some(Refusal { hint: hint.cloned(), ..Refusal::new(ErrorCode::WrongGroup, message) })
}
