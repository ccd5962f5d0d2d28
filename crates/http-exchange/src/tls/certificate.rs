//! Whether a server asks for a client certificate. We have none, and some servers then close without an alert.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task_local;
use tokio_rustls::rustls::SignatureScheme;
use tokio_rustls::rustls::client::ResolvesClientCert;
use tokio_rustls::rustls::sign::CertifiedKey;

task_local! {
    /// Set while a handshake is polled: one resolver serves all connections, or no session could be resumed.
    static WANTED: Arc<AtomicBool>;
}

/// Has no certificate, and notes that one was asked for.
#[derive(Debug)]
pub(super) struct NoCertificate;

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let _ = WANTED.try_with(|wanted| wanted.store(true, Ordering::Relaxed));
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// The result of a handshake, and whether the server asked for a certificate in it.
pub(super) async fn noting<T>(handshake: impl Future<Output = T>) -> (T, bool) {
    let wanted = Arc::new(AtomicBool::new(false));
    let result = WANTED.scope(Arc::clone(&wanted), handshake).await;
    (result, wanted.load(Ordering::Relaxed))
}

/// The end of a session in which a certificate was requested, before the first byte of a reply.
#[derive(Debug, thiserror::Error)]
#[error("connection closed without a reply")]
pub(crate) struct LeftWithoutCertificate(#[source] pub(super) Option<io::Error>);
