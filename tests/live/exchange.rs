//! The exchange of a history: a process that is killed and restarted, and its partners' clients,
//! which reconnect.

use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use tipoff::client::{Client, RetryPolicy};
use tipoff::wire::pb;

use crate::cast::{FIRST_MEMBERS, definition};
use crate::history::{MEMBERS, PARTNERS, RESTRICTED};
use crate::support::World;
use crate::support::process::Process;

pub struct Exchange {
    world: World,
    process: Process,
    partners: Vec<Client>,
    pub operator: Client,
    /// How often it was killed, and how often during a call.
    pub kills: u32,
    pub cut_off: u32,
}

impl Exchange {
    /// The partners of the simulator. The operator creates the restricted group.
    pub async fn start() -> Self {
        let world = World::with(&configuration());
        let mut process = Process::prepare(&world);
        process.start();
        let without_limit = RetryPolicy {
            first_delay: Duration::from_millis(5),
            max_delay: Duration::from_millis(40),
            max_retries: None,
            timeout: None,
        };
        let client =
            |partner: &str| process.client(&world, partner).with_retry_policy(without_limit);
        let partners = PARTNERS.map(client).into();
        let operator = client("operator");
        let exchange = Self { world, process, partners, operator, kills: 0, cut_off: 0 };
        let closed = sharing_group(RESTRICTED, FIRST_MEMBERS[usize::from(RESTRICTED)]);
        exchange.operator.put_group(closed).await.unwrap();
        exchange
    }

    pub fn client(&self, partner: u8) -> Client {
        self.partners[usize::from(partner)].clone()
    }

    /// SIGKILL and restart, with the index or with the journal only.
    pub fn restart(&mut self, rebuild: bool) {
        self.process.kill();
        self.kills += 1;
        if rebuild {
            // If it was killed again before it had an index, there is none.
            match fs::remove_dir_all(self.world.config.storage.data.join("index")) {
                Err(error) if error.kind() != ErrorKind::NotFound => panic!("{error}"),
                _ => {}
            }
        }
        self.process.start();
    }

    /// Runs a call. If a kill is due, it happens during the call or right after it.
    pub async fn under<T>(&mut self, kill: Option<Duration>, call: impl Future<Output = T>) -> T {
        tokio::pin!(call);
        let Some(after) = kill else { return call.await };
        let answer = tokio::time::timeout(after, &mut call).await;
        self.restart(false);
        if let Ok(answer) = answer {
            return answer;
        }
        self.cut_off += 1;
        call.await
    }
}

/// The definition of a group, as an operator sends it.
pub fn sharing_group(which: u8, members: u8) -> pb::SharingGroup {
    let group = definition(which, members);
    pb::SharingGroup {
        id: group.id.to_string(),
        name: group.name,
        members: group.members.iter().map(ToString::to_string).collect(),
        history_all: group.history_all,
        restricted: group.restricted.is_some(),
        terms: group.restricted.map(|terms| terms.as_str().to_owned()).unwrap_or_default(),
    }
}

fn configuration() -> String {
    let partner =
        |id: &str, role: &str| format!("[[partners]]\nid = \"{id}\"\nrole = \"{role}\"\n");
    let members = PARTNERS.iter().take(MEMBERS.into()).map(|id| partner(id, "member"));
    let observers = PARTNERS.iter().skip(MEMBERS.into()).map(|id| partner(id, "observer"));
    let operator = std::iter::once(partner("operator", "operator"));
    let groups = (0u8..).zip(FIRST_MEMBERS).filter(|(which, _)| *which != RESTRICTED);
    let groups = groups.map(|(which, members)| {
        let pb::SharingGroup { id, members, history_all, .. } = sharing_group(which, members);
        let history = if history_all { "all" } else { "joined" };
        format!("[[groups]]\nid = \"{id}\"\nhistory = \"{history}\"\nmembers = {members:?}\n")
    });
    members.chain(observers).chain(operator).chain(groups).collect()
}
