//! A real nginx on a host of a world.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use mirror_tests::process::Process;
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};

/// Serves bodies of 10 to 40,000 bytes at `/b/0` to `/b/3`, and an empty one at `/probe`.
const CONFIG: &str = "\
daemon off; master_process off; pid DIRECTORY/nginx.pid; error_log DIRECTORY/nginx.log;
events { worker_connections 512; }
http {
  log_format fields '$remote_addr $remote_port $request_length $bytes_sent $request_uri';
  access_log DIRECTORY/nginx-access.log fields;
  client_body_temp_path DIRECTORY/t1; proxy_temp_path DIRECTORY/t2; fastcgi_temp_path DIRECTORY/t3;
  uwsgi_temp_path DIRECTORY/t4; scgi_temp_path DIRECTORY/t5;
  server {
    listen 8080; listen [::]:8080;
    location = /probe { return 200 ''; }
    location / { root DIRECTORY/www; }
  }
}
";

/// A running nginx.
pub struct Nginx {
    _process: Process,
    log: PathBuf,
}

/// A line of its access log.
pub struct Entry {
    pub target: String,
    pub received: u64,
    pub sent: u64,
}

impl Nginx {
    /// Starts it, and returns once it answers.
    pub fn start(world: &World, host: Host) -> Nginx {
        let directory = world.directory();
        std::fs::create_dir_all(directory.join("www/b")).unwrap();
        for (name, len) in [10, 1_000, 9_000, 40_000].into_iter().enumerate() {
            std::fs::write(directory.join(format!("www/b/{name}")), vec![b'x'; len]).unwrap();
        }
        let config = directory.join("nginx.conf");
        let user = "user root; "; // the world's directory is root's alone
        std::fs::write(&config, user.to_owned() + &CONFIG.replace("DIRECTORY", directory.to_str().unwrap()))
            .unwrap();
        let mut command = Command::new("nginx");
        command.arg("-c").arg(&config).arg("-p").arg(&directory);
        let process = world.spawn(host, &mut command, Some("nginx-stderr.log")).unwrap();
        let answers = || {
            let mut ask = Command::new("curl");
            let output = world.output(host, ask.args(["-sf", "http://127.0.0.1:8080/probe"]))?;
            Ok(output.status.success().then_some(()))
        };
        until("nginx", Duration::from_secs(10), answers).unwrap();
        let log = directory.join("nginx-access.log");
        until("its access log", Duration::from_secs(10), || {
            Ok((std::fs::metadata(&log)?.len() > 0).then_some(()))
        })
        .unwrap();
        std::fs::OpenOptions::new().write(true).truncate(true).open(&log).unwrap();
        Nginx { _process: process, log }
    }

    /// What it was asked on each connection (the client's address and port), in order. Probes may come too early to be
    /// captured, so they do not count.
    pub fn by_connection(&self) -> BTreeMap<(String, u16), Vec<Entry>> {
        let mut all: BTreeMap<_, Vec<Entry>> = BTreeMap::new();
        for line in std::fs::read_to_string(&self.log).unwrap().lines() {
            let fields: Vec<&str> = line.split(' ').collect();
            let [address, port, received, sent, target] = fields[..] else { panic!("{line}") };
            if target == "/probe" {
                continue;
            }
            let entry = Entry {
                target: target.into(),
                received: received.parse().unwrap(),
                sent: sent.parse().unwrap(),
            };
            all.entry((address.into(), port.parse().unwrap())).or_default().push(entry);
        }
        all
    }
}
