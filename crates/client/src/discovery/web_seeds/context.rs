//! What all checks of a run have in common.

use crate::config::{Config, WebSeedChecks};
use crate::discovery::web_seeds::fault::Fault;
use crate::discovery::web_seeds::ports::Ports;
use crate::error::Error;
use crate::limits::Limits;
use crate::net::route::Route;
use crate::shared::Shared;
use crate::torrent_ref::TorrentRef;
use guard::{ErrorChain, Secrets};
use http_exchange::Tls;
use ids::InfoHash;
use std::sync::Arc;
use std::time::Duration;
use web_seed::WebSeedUrl;

/// What all checks of a run have in common.
#[derive(Debug)]
pub(crate) struct CheckContext {
    /// By which a web seed of BEP 17 is asked.
    pub(crate) info_hash: InfoHash,
    pub(crate) checks: WebSeedChecks,
    pub(crate) route: Route,
    pub(crate) connect_timeout: Duration,
    pub(crate) tls: Tls,
    pub(crate) http: web_seed::Client,
    /// Those that were named by others than the user.
    pub(crate) ports: Ports,
    pub(crate) limits: Limits,
    pub(crate) show_secrets: bool,
    /// What no report may show.
    pub(crate) secrets: Secrets,
    /// Shared with other runs.
    pub(crate) shared: Shared,
}

impl CheckContext {
    /// # Errors
    /// Certificates that cannot be read.
    pub(crate) fn new(
        torrent_ref: &TorrentRef,
        config: &Config,
        shared: &Shared,
        secrets: &Secrets,
    ) -> Result<Self, Error> {
        Ok(Self {
            info_hash: torrent_ref.hashes.primary(),
            checks: config.web_seed_checks,
            route: config.bind.into(),
            connect_timeout: config.connect_limit(),
            tls: shared.tls(&config.tls_roots).map_err(Error::TlsRoots)?,
            http: web_seed::Client::default().with_limits(config.limits.reply),
            ports: Ports::new(config.max_per_address),
            limits: config.limits,
            show_secrets: config.show_secrets,
            secrets: secrets.clone(),
            shared: shared.clone(),
        })
    }

    /// A URL as it may be shown.
    pub(crate) fn show(&self, url: &WebSeedUrl) -> Arc<str> {
        if self.show_secrets {
            return guard::escape(url.expose()).to_string().into();
        }
        self.secrets.conceal(&url.to_string()).into()
    }

    /// The text of a fault, as it may be shown.
    pub(crate) fn message(&self, fault: &Fault) -> String {
        self.secrets.conceal(&ErrorChain(fault).to_string())
    }
}
