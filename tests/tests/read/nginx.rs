//! A real nginx on a host of a world, and what it says of each request.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use mirror_tests::process::Process;
use mirror_tests::traffic::Body;
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};

const PATIENCE: Duration = Duration::from_secs(10);

/// Files below `/f/`; `/echo` takes any method with any body, whole, before it answers; `/packed/` sends the files
/// compressed, and so chunked. What it asks itself for `/echo` stays inside its host.
const CONFIG: &str = "\
user root; daemon off; master_process off; pid DIRECTORY/nginx.pid; error_log DIRECTORY/nginx.log;
events { worker_connections 512; }
http {
  log_format fields '$remote_port $connection_requests $request_method $request_uri $status $body_bytes_sent $server_protocol $http_expect';
  access_log off;
  client_max_body_size 8m;
  client_body_temp_path DIRECTORY/t1; proxy_temp_path DIRECTORY/t2; fastcgi_temp_path DIRECTORY/t3;
  uwsgi_temp_path DIRECTORY/t4; scgi_temp_path DIRECTORY/t5;
  server {
    listen 8080;
    access_log DIRECTORY/nginx-access.log fields;
    location = /probe { access_log off; return 200 ''; }
    location /f/ { root DIRECTORY/www; }
    location /packed/ { alias DIRECTORY/www/f/; gzip on; gzip_types *; gzip_min_length 1; }
    location = /echo { proxy_pass http://127.0.0.1:8081; }
  }
  server {
    listen 127.0.0.1:8081;
    location / { return 201 'taken'; }
  }
}
";

/// A running nginx.
pub struct Nginx {
    _process: Process,
    directory: PathBuf,
}

/// A line of its access log.
#[derive(Debug)]
pub struct Line {
    /// The client's port.
    pub port: u16,
    /// The number of the request on its connection, from 1.
    pub number: u64,
    pub method: String,
    pub target: String,
    pub status: u16,
    /// With chunk framing.
    pub body_sent: u64,
    pub version: String,
}

impl Nginx {
    /// Starts it, and returns once it answers.
    pub fn start(world: &World, host: Host) -> Nginx {
        let directory = world.directory();
        fs::create_dir_all(directory.join("www/f")).unwrap();
        for len in [0, 1_000, 100_000] {
            fs::write(directory.join(format!("www/f/{len}")), content(len)).unwrap();
        }
        let config = directory.join("nginx.conf");
        fs::write(&config, CONFIG.replace("DIRECTORY", directory.to_str().unwrap())).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-c").arg(&config).arg("-p").arg(&directory);
        let process = world.spawn(host, &mut command, Some("nginx-stderr.log")).unwrap();
        until("nginx", PATIENCE, || {
            let mut ask = Command::new("curl");
            let output = world.output(host, ask.args(["-sf", "http://127.0.0.1:8080/probe"]))?;
            Ok(output.status.success().then_some(()))
        })
        .unwrap();
        Nginx { _process: process, directory }
    }

    /// What it was asked, without probes, in the order of the answers; waits until there are so many.
    pub fn log(&self, count: usize) -> Vec<Line> {
        let path = self.directory.join("nginx-access.log");
        until("the access log", PATIENCE, || {
            let text = fs::read_to_string(&path)?;
            let lines: Vec<Line> = text.lines().map(Line::read).collect();
            Ok((lines.len() >= count && text.ends_with('\n')).then_some(lines))
        })
        .unwrap()
    }
}

impl Line {
    fn read(line: &str) -> Line {
        let fields: Vec<&str> = line.split(' ').collect();
        let [port, number, method, target, status, body_sent, version, expect] = fields[..] else {
            panic!("{line}")
        };
        // nginx takes the interim response for a part of the body.
        let interim = if expect == "-" { 0 } else { "HTTP/1.1 100 Continue\r\n\r\n".len() as u64 };
        Line {
            port: port.parse().unwrap(),
            number: number.parse().unwrap(),
            method: method.into(),
            target: target.into(),
            status: status.parse().unwrap(),
            body_sent: body_sent.parse::<u64>().unwrap() - interim,
            version: version.into(),
        }
    }
}

/// Text of this length.
pub fn content(len: usize) -> Vec<u8> {
    (0..len).map(|at| b'a' + (at / 7 % 26) as u8).collect()
}

/// What is to be known of it.
pub fn body(len: usize) -> Body {
    Body::of(&content(len))
}
