//! A real nginx as v1 or v2, with an access log that says which connection each request came on.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::process::Process;
use crate::service::PORT;
use crate::wait::until;
use crate::world::{Host, World};

const PATIENCE: Duration = Duration::from_secs(10);

/// A running nginx. It answers every method on every path with the path. Dropping it kills it.
#[derive(Debug)]
pub struct Nginx {
    /// Its only process.
    pub process: Process,
    log: PathBuf,
}

/// A line of its access log: one request, written once it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Line {
    /// The number of the connection, in the order of accepting.
    pub connection: u64,
    /// The number of the request on its connection, from 1.
    pub request: u64,
    /// The method.
    pub method: String,
    /// The target as it was sent.
    pub target: String,
    /// The status that was answered.
    pub status: u16,
    /// The marker header of replayed requests; empty without it.
    pub shadow: String,
    /// The `Host` header as it was sent.
    pub host: String,
}

impl Nginx {
    /// Starts one on `host`, on every address of both families and the port of every service, and returns once it
    /// accepts. It closes a connection after `keepalive_requests`.
    ///
    /// # Errors
    ///
    /// When there is no nginx, or it does not come up.
    pub fn start(world: &World, host: Host, keepalive_requests: u32) -> Result<Nginx> {
        let directory = world.directory().join(format!("nginx-{}", host.interface()));
        fs::create_dir_all(&directory)?;
        let config = directory.join("nginx.conf");
        fs::write(&config, configuration(&directory, keepalive_requests))?;
        let mut command = Command::new("nginx");
        command.arg("-e").arg(directory.join("error.log")).arg("-p").arg(&directory).arg("-c").arg(&config);
        let stderr = format!("nginx-{}.log", host.interface());
        let mut nginx = Nginx {
            process: world.spawn(host, &mut command, Some(&stderr))?,
            log: directory.join("access.log"),
        };
        until("nginx to accept", PATIENCE, || nginx.accepts(world, host))?;
        Ok(nginx)
    }

    /// What it was asked so far, in the order in which it had answered.
    ///
    /// # Errors
    ///
    /// When its log cannot be read.
    pub fn log(&self) -> Result<Vec<Line>> {
        let text = fs::read_to_string(&self.log).with_context(|| format!("read {}", self.log.display()))?;
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
    }

    fn accepts(&mut self, world: &World, host: Host) -> Result<Option<()>> {
        if let Some(status) = self.process.exited()? {
            bail!("nginx ended with {status}: {}", self.process.log());
        }
        let accepted = world.enter(host, || TcpStream::connect((host.ipv4(), PORT)))?;
        Ok(accepted.ok().map(drop))
    }
}

/// One process and no files outside `directory`.
fn configuration(directory: &Path, keepalive_requests: u32) -> String {
    let directory = directory.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("  {name}_temp_path {directory}/{name};\n"))
        .concat();
    format!(
        r#"daemon off;
master_process off;
user root;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{
{temporary}  log_format line escape=json '{{"connection":$connection,"request":$connection_requests,"method":"$request_method",'
    '"target":"$request_uri","status":$status,"shadow":"$http_x_mirror_shadow","host":"$http_host"}}';
  access_log {directory}/access.log line;
  keepalive_requests {keepalive_requests};
  keepalive_timeout 60s;
  server {{
    listen {PORT} backlog=1024;
    listen [::]:{PORT} backlog=1024;
    location / {{
      default_type text/plain;
      return 200 "$request_uri\n";
    }}
  }}
}}
"#
    )
}
