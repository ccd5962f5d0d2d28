//! HTTPS: a TLS session over a stream that is already connected.

pub(crate) mod certificate;
pub(crate) mod problem;
pub(crate) mod stream;
mod verifier;

use crate::error::Error;
use crate::tapped::Tapped;
use certificate::{NoCertificate, noting};
use problem::{CaError, TlsProblem};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use stream::{Beginning, TlsStream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OnceCell, oneshot};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use verifier::Verifier;

/// TLS 1.2 and 1.3, and which certificates are trusted: those issued by the system's roots, by Mozilla's where the system
/// has none, and by the roots given to [`Tls::trusting`]. Revocation is not checked.
///
/// A clone shares everything. Nothing is loaded before the first connection, so plain HTTP costs nothing.
#[derive(Clone, Default)]
pub struct Tls(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Certificates trusted besides the roots.
    extra: Vec<CertificateDer<'static>>,
    config: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    /// Trusts the certificates in `pem` too: an authority's, or a server's own self-signed one. Other content, such as text
    /// or a key, is ignored.
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

    /// Begins TLS on `stream`, which leads to `host`, a name or an address literal without brackets. The certificate must
    /// be for that name or address.
    ///
    /// # Errors
    /// [`Error::Tls`], also when the handshake takes longer than `limit`.
    pub async fn connect<S>(&self, stream: S, host: &str, limit: Duration) -> Result<TlsStream<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let connect = async {
            let name = ServerName::try_from(host.to_owned());
            let name = name.map_err(|error| TlsProblem::Failed(io::Error::other(error)))?;
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

    /// Made when first needed, and on another thread: reading the system's roots takes milliseconds, and delays other
    /// tasks of this thread.
    async fn config(&self) -> Result<Arc<ClientConfig>, TlsProblem> {
        let make = async || {
            let inner = self.0.clone();
            let (done, made) = oneshot::channel();
            // Not `spawn_blocking`: that panics when no thread can be started.
            let work = move || drop(done.send(inner.make_config().map(Arc::new)));
            std::thread::Builder::new().name("roots".to_owned()).spawn(work).map_err(TlsProblem::NoThread)?;
            made.await.map_err(|error| TlsProblem::Failed(io::Error::other(error)))?
        };
        self.0.config.get_or_try_init(make).await.cloned()
    }
}

impl Inner {
    fn make_config(&self) -> Result<ClientConfig, TlsProblem> {
        // Passed explicitly: the process-wide default provider is the application's to install.
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new(&self.extra, provider.clone())?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsProblem::Failed(io::Error::other(error)))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(NoCertificate));
        // Some servers assume another protocol of a client without ALPN (RFC 7301).
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tls({} certificates added)", self.0.extra.len())
    }
}
