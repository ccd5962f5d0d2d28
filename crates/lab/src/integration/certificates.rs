//! A certificate authority made on the spot with openssl, and the certificates it issues.

use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::scratch::write;
use xtask::shell::{self, Result};

/// From when to when a certificate is valid, as `openssl ca` wants it.
pub(super) type Validity = (&'static str, &'static str);

/// Valid now.
pub(super) const CURRENT: Validity = ("20240101000000Z", "20490101000000Z");
/// Over for years.
pub(super) const EXPIRED: Validity = ("20200101000000Z", "20200201000000Z");
/// Not begun for years.
pub(super) const FUTURE: Validity = ("20480101000000Z", "20490101000000Z");

/// Elliptic-curve keys, which take no time to make.
const NEW_KEY: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/// An authority in a folder.
pub(super) struct Authority {
    folder: PathBuf,
}

/// The files of a certificate.
pub(super) struct Certificate {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

impl Authority {
    /// Makes the authority's key and its own certificate.
    pub(super) fn new(folder: &Path) -> Result<Self> {
        let authority = Self { folder: folder.to_path_buf() };
        authority.self_signed("ca", "critical,CA:TRUE")?;
        write(&folder.join("index"), "")?;
        write(&folder.join("ca.conf"), authority.config())?;
        Ok(authority)
    }

    /// The certificate that a client has to trust.
    pub(super) fn root(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// A certificate for this subject alternative name (`IP:127.0.0.1`).
    pub(super) fn issue(&self, name: &str, subject: &str, (from, until): Validity) -> Result<Certificate> {
        let issued = self.files(name);
        let (request, extensions) = (self.folder.join(format!("{name}.csr")), self.folder.join(format!("{name}.ext")));
        let mut req = Command::new("openssl");
        req.args(["req", "-new", "-subj", &format!("/CN={name}")]).args(NEW_KEY);
        shell::run_quiet(req.arg("-keyout").arg(&issued.key).arg("-out").arg(&request))?;
        write(&extensions, format!("subjectAltName = {subject}\n"))?;
        let mut ca = Command::new("openssl");
        ca.args(["ca", "-batch", "-notext", "-startdate", from, "-enddate", until]);
        ca.arg("-config").arg(self.folder.join("ca.conf")).arg("-extfile").arg(&extensions);
        shell::run_quiet(ca.arg("-in").arg(&request).arg("-out").arg(&issued.certificate))?;
        Ok(issued)
    }

    /// A certificate for 127.0.0.1 that only vouches for itself.
    pub(super) fn self_signed(&self, name: &str, basic_constraints: &str) -> Result<Certificate> {
        let made = self.files(name);
        let mut req = Command::new("openssl");
        req.args(["req", "-x509", "-days", "30", "-subj", &format!("/CN={name}")]).args(NEW_KEY);
        // The defaults say CA:TRUE, and twice would be an error.
        let bare = self.folder.join("req.conf");
        write(&bare, "[req]\ndistinguished_name = name\n[name]\n")?;
        req.arg("-config").arg(bare).args(["-addext", &format!("basicConstraints = {basic_constraints}")]);
        req.args(["-addext", "subjectAltName = IP:127.0.0.1"]);
        shell::run_quiet(req.arg("-keyout").arg(&made.key).arg("-out").arg(&made.certificate))?;
        Ok(made)
    }

    fn files(&self, name: &str) -> Certificate {
        Certificate {
            certificate: self.folder.join(format!("{name}.pem")),
            key: self.folder.join(format!("{name}.key")),
        }
    }

    /// What `openssl ca` has to be told before it issues anything.
    fn config(&self) -> String {
        let folder = self.folder.display();
        format!(
            "[ca]\ndefault_ca = lab\n[lab]\ndatabase = {folder}/index\nnew_certs_dir = {folder}\nrand_serial = yes\n\
             certificate = {folder}/ca.pem\nprivate_key = {folder}/ca.key\ndefault_md = sha256\npolicy = any\n\
             [any]\ncommonName = supplied\n"
        )
    }
}
