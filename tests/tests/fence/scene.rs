//! What these tests begin with: a world, a cgroup for v2, and a fence around it.

use std::path::Path;

use mirror_agent::config::{self, Config, Draft};
use mirror_agent::kernel::fence::Fence;
use mirror_tests::agent_binary;
use mirror_tests::world::{Host, World};
use serde_json::{Value, json};

use mirror_tests::cgroup::Cgroup;

/// The fence's config, as it would stand in a file; JSON is YAML too.
pub fn fence_config(fence: &Value) -> config::Fence {
    let file = config_file(fence);
    let config = Config::build(Draft::default(), Some(("c", &file)));
    let service = config.unwrap_or_else(|errors| panic!("{errors}")).services.remove(0);
    service.fence.expect("a fence")
}

/// A config file of one service with this fence, for the node of a world.
pub fn config_file(fence: &Value) -> String {
    let service = json!({
        "name": "checkout", "v1": Host::V1.service(), "v2": Host::V2.service(), "share": "100%", "fence": fence,
    });
    json!({"interfaces": [Host::V1.interface(), Host::V2.interface()], "services": [service]}).to_string()
}

/// A fence in this process, with the agent's binary to probe with.
pub fn fence(fence: &Value) -> Fence {
    Fence::start("checkout", &fence_config(fence)).unwrap().with_probe(&agent_binary().unwrap())
}

/// A fence around one cgroup.
pub fn around(cgroup: &Path, mode: &str, allow: &Value) -> Fence {
    fence(&json!({"cgroup": cgroup, "mode": mode, "allow": allow}))
}

/// A world and a cgroup.
pub struct Scene {
    /// For v2's processes.
    pub cgroup: Cgroup,
    /// Where they run; the last to go.
    pub world: World,
}

impl Scene {
    /// Both, and nothing in them.
    pub fn new() -> Scene {
        Scene { cgroup: Cgroup::new().unwrap(), world: World::new().unwrap() }
    }
}
