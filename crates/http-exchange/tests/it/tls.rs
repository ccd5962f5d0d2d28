//! TLS with servers whose certificates are made by the test.

use crate::support::{BODY, exchanged, get, request, write};
use guard::ErrorChain;
use http_exchange::{CaError, Error, Tls, TlsProblem, TlsStream};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, interval};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

const LIMIT: Duration = Duration::from_secs(4);
const BOTH: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

/// A certificate for `names`, not yet signed.
fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names.clone()).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, names.concat());
    params
}

/// An authority that is not trusted yet.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = params(&[]);
    params.distinguished_name.push(DnType::CommonName, "an authority of the tests");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server that shows `certificate`.
fn server(
    certificate: CertificateDer<'static>,
    key: &KeyPair,
    versions: &[&'static SupportedProtocolVersion],
) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// A server whose certificate `authority` has signed.
fn signed(params: CertificateParams, authority: &CertifiedIssuer<'static, KeyPair>) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    server(params.signed_by(&key, authority).unwrap().der().clone(), &key, BOTH)
}

/// A server whose certificate only it has signed, and the certificate as a file.
fn self_signed(params: &CertificateParams) -> (TlsAcceptor, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (server(certificate.der().clone(), &key, BOTH), certificate.pem())
}

/// The client's result of the handshake.
async fn greeted(tls: &Tls, name: &str, server: &TlsAcceptor) -> Result<TlsStream<DuplexStream>, Error> {
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    // The server's end stays open, so that the verdict is about its certificate and not about a closed connection.
    let (result, _theirs) = tokio::join!(tls.connect(ours, name, LIMIT), server.accept(theirs));
    result
}

/// The code and the text of the problem; `ok` when there is none.
async fn verdict(tls: &Tls, name: &str, server: &TlsAcceptor) -> String {
    match greeted(tls, name, server).await {
        Ok(_) => "ok".to_owned(),
        Err(error) => format!("{}: {}", error.code(), ErrorChain(&error)),
    }
}

#[tokio::test]
async fn a_certificate_is_for_one_name_or_address_and_for_its_time() {
    let authority = authority();
    let tls = Tls::trusting(authority.pem().as_bytes()).unwrap();
    let good = ["t.example", "*.wild.example", "127.0.0.1", "::1"];
    let with = |change: fn(&mut CertificateParams)| {
        let mut params = params(&good);
        change(&mut params);
        params
    };
    let plain = || with(|_| ());
    let wrong = "tls_wrong_name: no secure connection: certificate is for t.example, *.wild.example, 127.0.0.1, ::1";
    for (name, params, expected) in [
        ("t.example", plain(), "ok"),
        ("T.EXAMPLE", plain(), "ok"),
        ("t.example.", plain(), "ok"),
        ("a.wild.example", plain(), "ok"),
        ("127.0.0.1", plain(), "ok"),
        ("::1", plain(), "ok"),
        ("u.example", plain(), wrong),
        ("wild.example", plain(), wrong),
        ("127.0.0.2", plain(), wrong),
        ("t.example", params(&[]), "tls_wrong_name: no secure connection: certificate is for no host at all"),
        (
            "t.example",
            with(|params| params.not_after = date_time_ymd(2001, 1, 1)),
            "tls_expired: no secure connection: certificate expired … days ago",
        ),
        (
            "t.example",
            with(|params| params.not_before = date_time_ymd(3000, 1, 1)),
            "tls_not_yet_valid: no secure connection: certificate not valid yet, only in … days",
        ),
        (
            "t.example",
            with(|params| params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth)),
            "tls_bad_certificate: no secure connection: bad certificate: invalid peer certificate: certificate does not \
             allow extended key usage for server authentication, allows client authentication",
        ),
    ] {
        let verdict = verdict(&tls, name, &signed(params, &authority)).await;
        let shown: String = match expected.contains('…') {
            // How long ago depends on when the test runs.
            true => verdict
                .split(' ')
                .map(|word| if word.parse::<u64>().is_ok() { "…" } else { word })
                .collect::<Vec<_>>()
                .join(" "),
            false => verdict,
        };
        assert_eq!(shown, expected, "{name}");
    }
}

#[tokio::test]
async fn an_unknown_issuer_is_told_from_a_self_signed_certificate() {
    let authority = authority();
    let (default, tls) = (Tls::default(), Tls::trusting(authority.pem().as_bytes()).unwrap());
    let unknown = "tls_unknown_issuer: no secure connection: certificate of an unknown issuer";
    let alone = "tls_self_signed: no secure connection: self-signed certificate";

    let known = signed(params(&["t.example"]), &authority);
    assert_eq!(verdict(&tls, "t.example", &known).await, "ok");
    assert_eq!(verdict(&default, "t.example", &known).await, unknown);

    let mut params = params(&["t.example"]);
    // The second is what `openssl req -x509` makes.
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        params.is_ca = is_ca;
        let (itself, pem) = self_signed(&params);
        assert_eq!(verdict(&default, "t.example", &itself).await, alone);
        assert_eq!(verdict(&tls, "t.example", &itself).await, alone);
        let trusting = Tls::trusting(pem.as_bytes()).unwrap();
        assert_eq!(verdict(&trusting, "t.example", &itself).await, "ok");
        assert!(verdict(&trusting, "u.example", &itself).await.ends_with("certificate is for t.example"));
        let mut old = params.clone();
        old.not_after = date_time_ymd(2001, 1, 1);
        let (old, pem) = self_signed(&old);
        let trusting = Tls::trusting(pem.as_bytes()).unwrap();
        assert!(verdict(&trusting, "t.example", &old).await.starts_with("tls_expired"));
    }
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken() {
    let authority = authority();
    let tls = Tls::trusting(authority.pem().as_bytes()).unwrap();
    for version in [&TLS12, &TLS13] {
        let key = KeyPair::generate().unwrap();
        let certificate = params(&["t.example"]).signed_by(&key, &authority).unwrap();
        let server = server(certificate.der().clone(), &key, &[version]);
        assert_eq!(verdict(&tls, "t.example", &server).await, "ok");
    }
}

/// The error with a server that answers the ClientHello with `reply` and closes.
async fn answered(reply: &[u8]) -> String {
    let (ours, mut theirs) = tokio::io::duplex(64 << 10);
    let tls = Tls::default();
    let server = async move {
        theirs.read_u8().await.unwrap();
        write(&mut theirs, reply, 60_000).await;
    };
    let error = tokio::join!(tls.connect(ours, "t.example", LIMIT), server).0.unwrap_err();
    format!("{}: {}", error.code(), ErrorChain(&error))
}

#[tokio::test]
async fn servers_without_tls_are_named() {
    for (reply, said) in [
        (&b""[..], "tls_closed: no secure connection: connection closed in the TLS handshake: tls handshake eof"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "tls_plain_http: no secure connection: plain HTTP on this port"),
        (
            b"SSH-2.0-OpenSSH_9.2\r\n",
            "tls_not_spoken: no secure connection: not TLS on this port: received corrupt message of type InvalidContentType",
        ),
        (
            // The alert `handshake_failure`, as from a server without a cipher in common.
            b"\x15\x03\x03\0\x02\x02\x28",
            "tls_failed: no secure connection: TLS handshake failed: received fatal alert: HandshakeFailure",
        ),
    ] {
        assert_eq!(answered(reply).await, said);
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_stalls_or_trickles_ends_at_its_limit() {
    for trickles in [false, true] {
        let (ours, mut theirs) = tokio::io::duplex(64 << 10);
        let (tls, begun) = (Tls::default(), Instant::now());
        let server = async {
            // The beginning of a message that is never complete.
            theirs.write_all(b"\x16\x03\x03\x40\0\x02\0\x3f\0").await.unwrap();
            if trickles {
                let mut seconds = interval(Duration::from_secs(1));
                loop {
                    seconds.tick().await;
                    theirs.write_all(b"x").await.unwrap();
                }
            }
            std::future::pending::<()>().await;
        };
        let error = tokio::select! {
            result = tls.connect(ours, "t.example", LIMIT) => result.unwrap_err(),
            () = server => unreachable!(),
        };
        assert!(matches!(error, Error::Tls(TlsProblem::Timeout(LIMIT))), "{error:?}");
        assert_eq!(begun.elapsed(), LIMIT);
    }
}

/// How a server ends a session.
#[derive(Clone, Copy, Debug)]
enum End {
    /// With a `close_notify`.
    Said,
    /// By closing the connection.
    Silent,
}

#[tokio::test]
async fn an_exchange_goes_through_a_session_however_that_ends() {
    let authority = authority();
    let tls = Tls::trusting(authority.pem().as_bytes()).unwrap();
    let server = signed(params(&["t.example"]), &authority);
    for (reply, expected) in [
        // The end of the connection is the end of the body: complete only with a `close_notify`.
        (format!("HTTP/1.0 200 OK\r\n\r\n{BODY}"), "complete: the body"),
        (format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len()), "complete: the body"),
        (format!("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{BODY}"), "incomplete: the body"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nthe".to_owned(), "incomplete: the"),
        ("HTTP/1.1 200".to_owned(), "closed"),
        (String::new(), "closed"),
    ] {
        for end in [End::Said, End::Silent] {
            let (ours, theirs) = tokio::io::duplex(64 << 10);
            let tracker = async {
                let mut stream = server.accept(theirs).await.unwrap();
                let request = request(&mut stream).await;
                write(&mut stream, reply.as_bytes(), 60_000).await;
                stream.flush().await.unwrap();
                if let End::Said = end {
                    stream.shutdown().await.unwrap();
                }
                request
            };
            let exchange = async { exchanged(tls.connect(ours, "t.example", LIMIT).await.unwrap(), get()).await };
            let (result, request) = tokio::join!(exchange, tracker);
            assert!(request.contains("host: t.example\r\n"), "{request}");
            let shown = result.map_or_else(
                |error| error.code().to_owned(),
                |response| {
                    let end = response.cut.map_or("complete", |cut| cut.code());
                    format!("{end}: {}", String::from_utf8_lossy(&response.body))
                },
            );
            let cut_off = matches!(end, End::Silent) && reply.starts_with("HTTP/1.0");
            let expected = if cut_off { "incomplete: the body" } else { expected };
            assert_eq!(shown, expected, "{reply} {end:?}");
        }
    }
}

/// A server that asks for a client certificate; `goes_on` without one.
fn asking(
    authority: &CertifiedIssuer<'static, KeyPair>,
    version: &'static SupportedProtocolVersion,
    goes_on: bool,
) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = params(&["t.example"]).signed_by(&key, authority).unwrap().der().clone();
    let (provider, mut roots) = (Arc::new(ring::default_provider()), RootCertStore::empty());
    roots.add(authority.der().clone()).unwrap();
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let clients = if goes_on { clients.allow_unauthenticated() } else { clients };
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(vec![certificate], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn a_server_that_requires_a_client_certificate_is_named() {
    let authority = authority();
    let tls = Tls::trusting(authority.pem().as_bytes()).unwrap();
    // A server that refuses in the handshake, one that closes after it, and one that answers all the same.
    for (version, goes_on, reply) in [&TLS12, &TLS13]
        .into_iter()
        .flat_map(|version| [(version, false, ""), (version, true, ""), (version, true, "HTTP/1.1 200 OK\r\n\r\n")])
    {
        let server = asking(&authority, version, goes_on);
        let (ours, theirs) = tokio::io::duplex(64 << 10);
        let exchange = async { exchanged(tls.connect(ours, "t.example", LIMIT).await?, get()).await };
        let tracker = async {
            let Ok(mut stream) = server.accept(theirs).await else { return };
            request(&mut stream).await;
            write(&mut stream, [reply, if reply.is_empty() { "" } else { BODY }].concat().as_bytes(), 60_000).await;
            stream.flush().await.unwrap();
        };
        match tokio::join!(exchange, tracker).0 {
            Ok(response) => assert_eq!((response.body.as_slice(), reply.is_empty()), (BODY.as_bytes(), false)),
            Err(error) => {
                let said = format!("{}: {}", error.code(), ErrorChain(&error));
                let wanted = "tls_client_certificate: no secure connection: the server wants a client certificate: ";
                assert!(reply.is_empty() && said.starts_with(wanted) && !said.contains("://"), "{version:?} {said}");
            }
        }
        // A fault of its own certificate comes first.
        let verdict = verdict(&Tls::default(), "t.example", &server).await;
        assert!(verdict.starts_with("tls_unknown_issuer: "), "{verdict}");
    }
}

#[tokio::test]
async fn hints_of_the_tls_library_to_developers_are_not_shown() {
    let authority = authority();
    let tls = Tls::trusting(authority.pem().as_bytes()).unwrap();
    let server = signed(params(&["t.example"]), &authority);
    for reply in ["", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nd8:"] {
        let (ours, theirs) = tokio::io::duplex(64 << 10);
        let server = async {
            let mut stream = server.accept(theirs).await.unwrap();
            request(&mut stream).await;
            write(&mut stream, reply.as_bytes(), 60_000).await;
            stream.flush().await.unwrap();
        };
        let exchange = async {
            match exchanged(tls.connect(ours, "t.example", LIMIT).await.unwrap(), get()).await {
                Ok(response) => response.cut.unwrap(),
                Err(error) => error,
            }
        };
        let said = ErrorChain(&tokio::join!(exchange, server).0).to_string();
        assert!(said.ends_with("no close_notify of TLS") && !said.contains("://"), "{said}");
    }
}

#[test]
fn a_file_of_certificates_is_read_strictly() {
    let (one, other) = (authority(), authority());
    let key = one.key().serialize_pem();
    let broken = |text: &str| text.replacen("MIIB", "MIIC", 1);
    for (file, expected) in [
        (one.pem(), Ok(())),
        (format!("text\n{}more text\n{key}{}", one.pem(), other.pem()), Ok(())),
        (String::new(), Err(CaError::NoCertificate)),
        ("text".to_owned(), Err(CaError::NoCertificate)),
        (key, Err(CaError::NoCertificate)),
        (one.pem().replace("-----END CERTIFICATE-----", ""), Err(CaError::BadPem)),
        (one.pem().replacen("MII", "M!I", 1), Err(CaError::BadPem)),
        (format!("{}{}", one.pem(), broken(&other.pem())), Err(CaError::BadCertificate { number: 2 })),
    ] {
        assert_eq!(Tls::trusting(file.as_bytes()).map(|_| ()), expected, "{file}");
    }
    // Not text at all.
    assert_eq!(Tls::trusting(one.der()).map(|_| ()), Err(CaError::NoCertificate));
}
