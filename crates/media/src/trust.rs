//! Whose certificates are believed, and what is wrong with one that is not, in words.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// For clients of HTTP/1.1: believes the authorities of the system, and those in these files (PEM).
/// What is wrong with a file names it.
pub fn tls(authorities: &[PathBuf]) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::debug!(%error, "a certificate of the system cannot be read");
    }
    roots.add_parsable_certificates(system.certs);
    for file in authorities {
        let named = |why: &dyn std::fmt::Display| format!("{}: {why}", file.display());
        for certificate in certificates(file).map_err(|why| named(&why))? {
            roots.add(certificate).map_err(|error| named(&error))?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = versions.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match found {
        Ok(found) if found.is_empty() => Err("there is no certificate in it".to_owned()),
        Ok(found) => Ok(found),
        Err(error) => Err(error.to_string()),
    }
}

/// What is wrong with the certificate that a server showed; `None` where that is not why there is no connection.
pub fn distrust(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        // An error of the network hides the one that it is made of.
        let hidden = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(hidden) = hidden {
            return distrust(hidden);
        }
        if let Some(rustls::Error::InvalidCertificate(why)) = error.downcast_ref() {
            return Some(in_words(why));
        }
        next = error.source();
    }
    None
}

fn in_words(why: &CertificateError) -> String {
    match why {
        // The other is that of an authority of the same name that was made anew.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is from an authority that is not known here".to_owned()
        }
        CertificateError::NotValidForName => "its certificate is for another name".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<&str> = presented.iter().map(|name| bare(name)).collect();
            let names = if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") };
            format!("its certificate is for another name: {names}")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired, if the clock of this machine is right".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not good yet, if the clock of this machine is right".to_owned()
        }
        CertificateError::Other(why) if format!("{why:?}").contains("CaUsedAsEndEntity") => {
            "its certificate is an authority's own (CA:TRUE), with which no server may answer".to_owned()
        }
        other => format!("its certificate is no good: {other}"),
    }
}

/// The name in `DnsName("example.com")`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_certificates_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let (empty, none) = (folder.path().join("empty.pem"), folder.path().join("none.pem"));
        std::fs::write(&empty, "words\n").unwrap();
        for (file, words) in [(&empty, "empty.pem: there is no certificate in it"), (&none, "none.pem: ")] {
            let why = tls(std::slice::from_ref(file)).unwrap_err();
            assert!(why.contains(words), "{why}");
        }
        assert_eq!(tls(&[]).unwrap().alpn_protocols, [b"http/1.1"]);
    }

    #[test]
    fn reasons_are_found_wherever_they_are_hidden() {
        let inner = || rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let known = Some("its certificate is from an authority that is not known here".to_owned());
        assert_eq!(distrust(&inner()), known);
        let outer = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, inner()));
        assert_eq!(distrust(&outer), known);
        assert_eq!(distrust(&io::Error::other("else")), None);
        assert_eq!(distrust(&rustls::Error::DecryptError), None);
        assert_eq!(["DnsName(\"a.test\")", "IpAddress(127.0.0.1)", "b"].map(bare), ["a.test", "127.0.0.1", "b"]);
    }
}
