//! The guards of the agent itself: what it takes, and whether anybody looks.

use std::collections::VecDeque;
use std::time::Duration;

use bytesize::ByteSize;

use super::{Breach, Reason};
use crate::time::Nanos;

/// Over which time the processors' use is measured: a start, or a large answer, is over by then.
const CPU_WINDOW: Duration = Duration::from_secs(5);

/// What the agent may take; `None`: as much as it wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of one processor, in parts per million; above 1,000,000 it is several.
    pub cpu_ppm: Option<u64>,
    /// Bytes of memory that it holds.
    pub memory: Option<u64>,
    /// How long nobody may have asked for the metrics.
    pub unscraped: Option<Duration>,
}

/// What the agent was seen to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time since its start.
    pub cpu: Duration,
    /// Bytes of memory that it holds: its resident set.
    pub memory: u64,
    /// When the metrics were last asked for; `None`: never yet.
    pub scraped: Option<Nanos>,
}

/// Watches one process.
#[derive(Debug)]
pub struct Process {
    limits: Limits,
    started: Nanos,
    /// Processor time as of each look within the window, oldest first.
    cpu: VecDeque<(Nanos, Duration)>,
}

impl Process {
    /// Watches from `now` on.
    pub fn new(limits: Limits, now: Nanos) -> Process {
        Process { limits, started: now, cpu: VecDeque::new() }
    }

    /// Which limit is exceeded, if one is.
    pub fn look(&mut self, now: Nanos, usage: &Usage) -> Option<Breach> {
        self.look_at_cpu(now, usage.cpu).or_else(|| self.look_at_memory(usage.memory)).or_else(|| {
            let limit = self.limits.unscraped?;
            let silence = now.since(usage.scraped.unwrap_or(self.started));
            let what = format!("nobody has asked for the metrics for {} s, the limit", limit.as_secs_f64());
            (silence > limit).then(|| Breach::new(Reason::Unscraped, what))
        })
    }

    fn look_at_cpu(&mut self, now: Nanos, cpu: Duration) -> Option<Breach> {
        self.cpu.push_back((now, cpu));
        while self.cpu.get(1).is_some_and(|(at, _)| now.since(*at) >= CPU_WINDOW) {
            self.cpu.pop_front();
        }
        let (since, before) = self.cpu.front()?;
        let (span, limit) = (now.since(*since), self.limits.cpu_ppm?);
        let used = 100.0 * cpu.saturating_sub(*before).as_secs_f64() / span.as_secs_f64().max(1e-9);
        let limit = limit as f64 / 1e4;
        let what = format!("the agent has taken {used:.0}% of a processor for 5 s, over {limit:.0}%");
        (span >= CPU_WINDOW && used > limit).then(|| Breach::new(Reason::Cpu, what))
    }

    fn look_at_memory(&self, memory: u64) -> Option<Breach> {
        let limit = self.limits.memory?;
        let [holds, over] = [memory, limit].map(|bytes| ByteSize(bytes).display().iec());
        (memory > limit)
            .then(|| Breach::new(Reason::Memory, format!("the agent holds {holds} of memory, over {over}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(seconds: u64) -> Nanos {
        Nanos(seconds * 1_000_000_000)
    }

    fn reason(process: &mut Process, now: u64, usage: Usage) -> Option<Reason> {
        process.look(second(now), &usage).map(|breach| breach.reason)
    }

    #[test]
    fn a_burst_is_not_held_against_it_and_a_load_is() {
        let limits = Limits { cpu_ppm: Some(500_000), ..Limits::default() };
        let mut process = Process::new(limits, second(0));
        let mut busy = |second, millis| {
            reason(&mut process, second, Usage { cpu: Duration::from_millis(millis), ..Usage::default() })
        };
        assert_eq!([busy(0, 0), busy(1, 2000), busy(3, 2000), busy(6, 2000)], [None; 4], "2 s of 6");
        assert_eq!([busy(7, 3000), busy(8, 4000)], [None; 2]);
        assert_eq!(busy(9, 5100), Some(Reason::Cpu), "3.1 s of 6");
    }

    #[test]
    fn memory_and_silence_have_their_limits() {
        let limits =
            Limits { memory: Some(1 << 30), unscraped: Some(Duration::from_secs(45)), cpu_ppm: None };
        let mut process = Process::new(limits, second(100));
        let usage = Usage { memory: 1 << 30, ..Usage::default() };
        assert_eq!(reason(&mut process, 145, usage), None);
        assert_eq!(reason(&mut process, 146, usage), Some(Reason::Unscraped), "since the start");
        assert_eq!(reason(&mut process, 146, Usage { scraped: Some(second(101)), ..usage }), None);
        assert_eq!(
            reason(&mut process, 147, Usage { scraped: Some(second(101)), ..usage }),
            Some(Reason::Unscraped)
        );
        assert_eq!(reason(&mut process, 101, Usage { memory: (1 << 30) + 1, ..usage }), Some(Reason::Memory));
    }

    #[test]
    fn without_limits_nothing_is_too_much() {
        let mut process = Process::new(Limits::default(), second(0));
        let usage = Usage { cpu: Duration::from_secs(900), memory: u64::MAX, scraped: None };
        assert_eq!([0, 10, 100].map(|now| reason(&mut process, now, usage)), [None; 3]);
    }
}
