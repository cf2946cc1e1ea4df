//! What is asked when: the same mix on every run.

use std::time::Duration;

use super::Options;

/// Every so many-th job is this many requests in one write.
const PIPELINE_EVERY: u64 = 25;
const PIPELINED: u64 = 4;

/// Requests that are sent together on one connection, as bytes, and what each is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    /// The bytes of each request.
    pub(super) requests: Vec<Vec<u8>>,
}

/// The jobs, each with its time after the start.
pub(super) struct Plan {
    rate: f64,
    get: Option<String>,
    host: String,
    jobs: u64,
    requests: u64,
}

impl Plan {
    pub(super) fn new(options: &Options) -> Plan {
        let host = options.target.to_string();
        Plan { rate: options.rate.max(0.001), get: options.get.clone(), host, jobs: 0, requests: 0 }
    }

    fn get(&self, target: &str) -> Vec<u8> {
        format!("GET {target} HTTP/1.1\r\nhost: {}\r\n\r\n", self.host).into_bytes()
    }

    fn post(&self, number: u64) -> Vec<u8> {
        let body = format!("order {number}");
        let length = body.len();
        format!("POST /echo HTTP/1.1\r\nhost: {}\r\ncontent-length: {length}\r\n\r\n{body}", self.host)
            .into_bytes()
    }

    /// The request with this number. One in twenty is something special, one in two hundred is a megabyte.
    fn mixed(&self, number: u64) -> Vec<u8> {
        let turn = number / 20;
        match number % 20 {
            0..=8 => self.get(&format!("/users/{number}")),
            9..=11 => self.get(&format!("/price/{number}")),
            12..=13 => self.get(&format!("/static/{turn}")),
            14 => self.get(&format!("/flaky/{turn}")),
            15 => self.get(&format!("/slow/{turn}")),
            16..=17 => self.get("/bytes/1024"),
            18 => self.post(number),
            _ if turn.is_multiple_of(10) => self.get("/bytes/1048576"),
            _ => self.get("/chunked/20000"),
        }
    }
}

impl Iterator for Plan {
    type Item = (Duration, Job);

    fn next(&mut self) -> Option<(Duration, Job)> {
        let after = Duration::from_secs_f64(self.requests as f64 / self.rate);
        self.jobs += 1;
        let pipelined = self.get.is_none() && self.jobs.is_multiple_of(PIPELINE_EVERY);
        let requests: Vec<Vec<u8>> = match &self.get {
            Some(target) => vec![self.get(&target.replace("{n}", &self.requests.to_string()))],
            None if pipelined => {
                (0..PIPELINED).map(|i| self.get(&format!("/users/{}", self.requests + i))).collect()
            }
            None => vec![self.mixed(self.requests)],
        };
        self.requests += requests.len() as u64;
        Some((after, Job { requests }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(rate: f64, get: Option<&str>) -> Plan {
        Plan { rate, get: get.map(str::to_owned), host: "a:1".into(), jobs: 0, requests: 0 }
    }

    fn first_line(request: &[u8]) -> String {
        String::from_utf8_lossy(request).lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn the_rate_counts_requests_and_not_jobs() {
        let second: Vec<Job> = plan(1000.0, None)
            .take_while(|(after, _)| after.as_secs_f64() < 10.0)
            .map(|(_, job)| job)
            .collect();
        let requests: usize = second.iter().map(|job| job.requests.len()).sum();
        assert!((10_000..10_004).contains(&requests), "{requests}");
        assert!(second.iter().any(|job| job.requests.len() == 4));
    }

    #[test]
    fn every_kind_comes_and_flaky_meets_its_fives() {
        let lines: Vec<String> = plan(1.0, None)
            .take(4000)
            .flat_map(|(_, job)| job.requests)
            .map(|request| first_line(&request))
            .collect();
        for kind in [
            "/users/",
            "/price/",
            "/static/",
            "/flaky/",
            "/slow/",
            "/bytes/1024 ",
            "/bytes/1048576",
            "/chunked/",
        ] {
            assert!(lines.iter().any(|line| line.starts_with(&format!("GET {kind}"))), "{kind}");
        }
        assert!(lines.iter().any(|line| line.starts_with("POST /echo")));
        let flaky = |n: u64| lines.iter().any(|line| *line == format!("GET /flaky/{n} HTTP/1.1"));
        assert!(flaky(5) || flaky(10) || flaky(15));
    }

    #[test]
    fn one_target_alone() {
        let (after, job) = plan(2.0, Some("/x")).nth(3).unwrap();
        assert_eq!(after, Duration::from_millis(1500));
        assert_eq!(job.requests, vec![b"GET /x HTTP/1.1\r\nhost: a:1\r\n\r\n".to_vec()]);
    }
}
