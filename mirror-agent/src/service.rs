//! One service at run time: what the config says of it, and what is counted for it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::compare::Rules;
use crate::config;
use crate::differences::Differences;
use crate::judging::Judging;
use crate::ledger::Ledger;
use crate::probe::Popular;
use crate::route::{Pattern, Routes};
use crate::select::Selection;

/// Version names in metrics and status, by the kernel's index.
pub const VERSIONS: [&str; 2] = ["v1", "v2"];
/// Index of the version that serves the users.
pub const V1: u8 = 0;
/// Index of the version that gets the copy.
pub const V2: u8 = 1;

/// One service. Shared by everything that handles its requests.
#[derive(Debug)]
pub struct Service {
    /// Its index in the kernel's tables.
    pub index: u8,
    /// Its name, a label.
    pub name: String,
    /// Serves the users.
    pub v1: SocketAddr,
    /// Gets the copy.
    pub v2: SocketAddr,
    /// Which requests are replayed.
    pub selection: Selection,
    /// How answers are compared.
    pub rules: Rules,
    /// The routes of its requests.
    pub routes: Routes,
    /// How far replay may go.
    pub limits: config::Limits,
    /// Its requests.
    pub ledger: Arc<Ledger>,
    /// What differed.
    pub differences: Arc<Differences>,
    /// What v2 is.
    pub v2_role: config::Role,
    /// Who judges v2.
    pub judging: Judging,
    popular: Mutex<Popular>,
}

impl Service {
    /// Makes the run-time form of a configured service, which is judged from `started` on.
    ///
    /// # Errors
    ///
    /// When a rule, a key, a route or a pattern cannot be read.
    pub fn new(index: u8, config: &config::Service, started: Instant) -> Result<Self> {
        let mut rules = Rules::default();
        for rule in &config.hiding {
            rules.add(rule).with_context(|| format!("service {}: rule {}", config.name, rule.name))?;
        }
        for key in &config.keys {
            rules.add_key(key).with_context(|| format!("service {}: keys", config.name))?;
        }
        config.redact.names.iter().for_each(|name| rules.redactor_mut().add_name(name));
        for pattern in &config.redact.patterns {
            rules.redactor_mut().add_pattern(pattern).map_err(anyhow::Error::msg)?;
        }
        let routes = config.routes.iter().map(|route| Pattern::parse(route)).collect::<Result<_, _>>();
        Ok(Service {
            index,
            name: config.name.clone(),
            v1: config.v1,
            v2: config.v2,
            selection: Selection {
                methods: config.methods.clone(),
                paths: config.paths.clone(),
                share_ppm: config.request_share.ppm(),
            },
            rules,
            routes: Routes::new(routes.map_err(anyhow::Error::msg)?),
            limits: config.limits,
            ledger: Arc::default(),
            differences: Arc::default(),
            v2_role: config.v2_role,
            judging: Judging::new(config, started),
            popular: Mutex::default(),
        })
    }

    /// What its users ask most often.
    pub fn popular(&self) -> MutexGuard<'_, Popular> {
        self.popular.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The longest that a replayed request may take.
    pub fn timeout(&self) -> Duration {
        self.limits.timeout
    }
}
