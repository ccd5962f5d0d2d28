//! Which certificates are trusted. rustls decides; this adds which of the common refusals it was, and accepts a server's own
//! certificate that the user trusts.

use super::problem::{NoStore, SelfSigned, TlsProblem};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{VerifierBuilderError, WebPkiServerVerifier};
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use webpki::{EndEntityCert, InvalidNameContext};

/// The environment variables by which a user names the system's roots.
const ROOTS_VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Largest file that is read as the system's roots, in bytes: twenty times what a system has.
const MAX_ROOTS: u64 = 4 << 20;

pub(super) struct Verifier {
    web: Arc<WebPkiServerVerifier>,
    /// Whether the system has roots.
    has_store: bool,
    extra: Vec<CertificateDer<'static>>,
}

impl Verifier {
    /// Trusts the roots and `extra`.
    pub(super) fn new(extra: &[CertificateDer<'static>], provider: Arc<CryptoProvider>) -> Result<Self, TlsProblem> {
        let (mut roots, has_store) = roots();
        roots.add_parsable_certificates(extra.iter().cloned());
        let web = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let web = web.map_err(|error| match error {
            VerifierBuilderError::NoRootAnchors => TlsProblem::NoRoots,
            error => TlsProblem::Failed(io::Error::other(error)),
        })?;
        Ok(Self { web, has_store, extra: extra.to_vec() })
    }

    /// The specific reason behind a general error.
    fn explain(&self, error: Error, certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), Error> {
        let claims_to_be_ca = is_ca_as_server(&error);
        let is_unknown = error == Error::InvalidCertificate(CertificateError::UnknownIssuer);
        if !claims_to_be_ca && !is_unknown {
            return Err(error);
        }
        let Ok(parsed) = EndEntityCert::try_from(certificate) else { return Err(error) };
        // Self-signed certificates usually claim to be an authority, which a server's must not. When the user trusts this
        // very certificate, only its name is left to check: its dates were checked before this error.
        if claims_to_be_ca && self.extra.contains(certificate) {
            return parsed.verify_is_valid_for_subject_name(name).map_err(|error| wrong_name(error).into());
        }
        if parsed.issuer() == parsed.subject() {
            return Err(CertificateError::Other(OtherError(Arc::new(SelfSigned))).into());
        }
        if is_unknown && !self.has_store {
            return Err(CertificateError::Other(OtherError(Arc::new(NoStore))).into());
        }
        Err(error)
    }
}

/// The system's roots; Mozilla's when there are none, as in a bare container, unless an environment variable names a
/// place. And whether they are the system's.
fn roots() -> (RootCertStore, bool) {
    let mut roots = RootCertStore::empty();
    // Files that cannot be read and certificates that cannot be parsed are skipped.
    roots.add_parsable_certificates(system_roots());
    let named =
        ROOTS_VARIABLES.iter().any(|variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty()));
    let has_store = !roots.is_empty();
    if !has_store && !named {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    (roots, has_store)
}

/// The certificates of the system. A variable may name a device, which never ends, or a pipe, which may never begin: those
/// are not read.
fn system_roots() -> Vec<CertificateDer<'static>> {
    let file = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    if file.is_none_or(|file| is_store(&file)) {
        return rustls_native_certs::load_native_certs().certs;
    }
    let folders = std::env::var_os("SSL_CERT_DIR").unwrap_or_default();
    let folders = std::env::split_paths(&folders).filter(|folder| !folder.as_os_str().is_empty());
    folders.flat_map(|folder| rustls_native_certs::load_certs_from_paths(None, Some(&folder)).certs).collect()
}

/// Whether the file may be opened; one that is missing fails when it is.
fn is_store(file: &Path) -> bool {
    std::fs::metadata(file).map_or(true, |found| found.is_file() && found.len() <= MAX_ROOTS)
}

fn wrong_name(error: webpki::Error) -> CertificateError {
    match error {
        webpki::Error::CertNotValidForName(InvalidNameContext { expected, presented }) => {
            CertificateError::NotValidForNameContext { expected, presented }
        }
        error => CertificateError::Other(OtherError(Arc::new(error))),
    }
}

fn is_ca_as_server(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) = error else { return false };
    matches!(cause.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.web.verify_server_cert(certificate, intermediates, name, ocsp_response, now) {
            Ok(verified) => Ok(verified),
            Err(error) => self.explain(error, certificate, name).map(|()| ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.web.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.web.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.web.supported_verify_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({} certificates added)", self.extra.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair};
    use tokio_rustls::rustls::crypto::ring;

    #[test]
    fn devices_and_folders_are_not_read_as_a_store() {
        let is = |path: &str| is_store(Path::new(path));
        assert!(is(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")) && is("/nonexistent"));
        assert!(!is("/dev/zero") && !is("/proc/self"));
    }

    #[test]
    fn an_unknown_issuer_is_reported_apart_where_the_machine_has_no_roots() {
        let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        let provider = Arc::new(ring::default_provider());
        let web = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        authority.distinguished_name.push(rcgen::DnType::CommonName, "an authority of the tests");
        let issuer = rcgen::Issuer::new(authority, ca_key);
        let certificate =
            CertificateParams::new(vec!["t.example".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let name = ServerName::try_from("t.example").unwrap();
        for has_store in [true, false] {
            let verifier = Verifier { web: Arc::clone(&web), has_store, extra: Vec::new() };
            let verified = verifier.verify_server_cert(certificate.der(), &[], &name, &[], UnixTime::now());
            let Err(Error::InvalidCertificate(error)) = verified else { panic!("{verified:?}") };
            let is_ours = matches!(&error, CertificateError::Other(OtherError(cause)) if cause.is::<NoStore>());
            assert_eq!((is_ours, error == CertificateError::UnknownIssuer), (!has_store, has_store), "{error:?}");
        }
    }
}
