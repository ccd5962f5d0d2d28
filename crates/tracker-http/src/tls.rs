//! HTTPS: a TLS session over a stream that is already connected.

mod certificate;
mod problem;
mod stream;
mod verifier;

pub(crate) use certificate::LeftWithoutCertificate;
pub use problem::{CaError, TlsProblem};
pub use stream::TlsStream;

use crate::Error;
use crate::tapped::Tapped;
use certificate::{NoCertificate, noting};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use stream::Beginning;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OnceCell, oneshot};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName};
use tracker::Host;
use verifier::Verifier;

/// How trackers are reached over TLS 1.2 and 1.3, and whose certificates are believed: those of the system's roots, of
/// Mozilla's where the system has none, and of the roots given to [`Tls::trusting`]. Revocation is not checked.
///
/// A clone is another handle of the same. Nothing is loaded before the first connection: who asks over plain HTTP only
/// pays nothing.
#[derive(Clone, Default)]
pub struct Tls(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Certificates trusted besides the roots.
    extra: Vec<CertificateDer<'static>>,
    config: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    /// Trusts the certificates in `pem` too: an authority's, or a server's own self-signed one. Whatever else stands
    /// there, such as text or a key, is ignored.
    ///
    /// # Errors
    /// When there is no certificate, or one that cannot be read.
    pub fn trusting(pem: &[u8]) -> Result<Self, CaError> {
        let mut extra = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate: CertificateDer<'static> = certificate.map_err(|_| CaError::BadPem)?;
            let number = extra.len() + 1;
            webpki::anchor_from_trusted_cert(&certificate).map_err(|_| CaError::BadCertificate { number })?;
            extra.push(certificate);
        }
        if extra.is_empty() {
            return Err(CaError::NoCertificate);
        }
        Ok(Self(Arc::new(Inner { extra, config: OnceCell::new() })))
    }

    /// Begins TLS on `stream`, which leads to `host`. The certificate must be for that name, or for that address when the
    /// host is an address literal.
    ///
    /// # Errors
    /// [`Error::Tls`], also when the handshake takes longer than `limit`.
    pub async fn connect<S>(&self, stream: S, host: &Host, limit: Duration) -> Result<TlsStream<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let connect = async {
            let name = server_name(host).map_err(|error| TlsProblem::Failed(io::Error::other(error)))?;
            let connector = TlsConnector::from(self.config().await?);
            let handshake = connector.connect(name, Tapped::new(stream, Beginning::default())).into_fallible();
            let (result, wants_certificate) = noting(handshake).await;
            match result {
                Ok(session) => Ok(TlsStream::new(session, wants_certificate)),
                Err((error, stream)) => Err(TlsProblem::of(error, &stream.tap, wants_certificate)),
            }
        };
        Ok(timeout(limit, connect).await.unwrap_or(Err(TlsProblem::Timeout(limit)))?)
    }

    /// Made when it is first needed, and on another thread: the system's roots take milliseconds to read, in which everybody
    /// else on this thread would seem to be slow.
    async fn config(&self) -> Result<Arc<ClientConfig>, TlsProblem> {
        let make = async || {
            let inner = self.0.clone();
            let (done, made) = oneshot::channel();
            // The runtime's own threads panic where there can be no more.
            let work = move || drop(done.send(inner.make_config().map(Arc::new)));
            std::thread::Builder::new().name("roots".to_owned()).spawn(work).map_err(TlsProblem::NoThread)?;
            made.await.map_err(|error| TlsProblem::Failed(io::Error::other(error)))?
        };
        self.0.config.get_or_try_init(make).await.cloned()
    }
}

impl Inner {
    fn make_config(&self) -> Result<ClientConfig, TlsProblem> {
        // Named here, and not installed for the process: that belongs to whoever owns the process.
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new(&self.extra, provider.clone())?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsProblem::Failed(io::Error::other(error)))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(NoCertificate));
        // For servers that would take a client without ALPN for one of another protocol (RFC 7301).
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn server_name(host: &Host) -> Result<ServerName<'static>, InvalidDnsNameError> {
    match host {
        Host::Ip(ip) => Ok(ServerName::from(*ip)),
        Host::Name(name) => ServerName::try_from(name.clone()),
    }
}

/// Tells how many certificates were added.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tls({} certificates added)", self.0.extra.len())
    }
}
