//! The certificates that there are, found by name. They are exchanged while connections go on.

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// A certificate that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadCertificate {
    #[error("{0} cannot be read: {1}")]
    Unreadable(String, std::io::Error),
    #[error("there is no certificate in PEM in it")]
    NoCertificate,
    #[error("there is no private key in PEM in it")]
    NoKey,
    #[error("the key does not belong to the certificate")]
    OtherKey,
    #[error("the certificate cannot be read: {0}")]
    Broken(String),
    #[error("the certificate names no host")]
    NoName,
}

/// A certificate with its key, ready to be shown.
#[derive(Clone, Debug)]
pub(in crate::server) struct Certificate {
    pub(in crate::server) key: Arc<CertifiedKey>,
    /// In lower case; the first label may be `*`.
    pub(in crate::server) names: Vec<String>,
    pub(in crate::server) from: SystemTime,
    pub(in crate::server) until: SystemTime,
}

impl Certificate {
    /// Reads a chain and its key, both in PEM; they may be in one text.
    pub(in crate::server) fn read(chain: &[u8], key: &[u8]) -> Result<Self, BadCertificate> {
        let broken = |error: &dyn std::fmt::Display| BadCertificate::Broken(error.to_string());
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
        let chain = chain.map_err(|error| broken(&error))?;
        let first = chain.first().ok_or(BadCertificate::NoCertificate)?;
        let (names, from, until) = describe(first)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| BadCertificate::NoKey)?;
        let key = any_supported_type(&key).map_err(|_| BadCertificate::NoKey)?;
        let key = CertifiedKey::new(chain, key);
        key.keys_match().map_err(|_| BadCertificate::OtherKey)?;
        Ok(Self { key: Arc::new(key), names, from, until })
    }
}

/// Names and times of a certificate.
fn describe(der: &[u8]) -> Result<(Vec<String>, SystemTime, SystemTime), BadCertificate> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|error| BadCertificate::Broken(error.to_string()))?;
    let names = certificate.subject_alternative_name();
    let names = names.map_err(|error| BadCertificate::Broken(error.to_string()))?;
    let names = names.into_iter().flat_map(|names| &names.value.general_names);
    let names: Vec<String> = names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        })
        .collect();
    if names.is_empty() {
        return Err(BadCertificate::NoName);
    }
    let time = |seconds: i64| SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    let validity = certificate.validity();
    Ok((names, time(validity.not_before.timestamp()), time(validity.not_after.timestamp())))
}

/// All certificates, by the names in them: those from files, then those that were obtained.
#[derive(Debug, Default)]
pub struct Certificates {
    table: RwLock<Arc<Table>>,
}

#[derive(Clone, Debug, Default)]
struct Table {
    files: Vec<Certificate>,
    obtained: HashMap<String, Certificate>,
    by_name: HashMap<String, Arc<CertifiedKey>>,
}

impl Certificates {
    /// The one for this name; the first one for clients that give none.
    pub(in crate::server) fn find(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner).clone();
        match name {
            // rustls gives it in lower case already.
            Some(name) => table.find(name).cloned(),
            None => table.files.first().or_else(|| table.obtained.values().next()).map(|first| first.key.clone()),
        }
    }

    /// Whether there is one for this name.
    pub fn has(&self, name: &str) -> bool {
        self.table.read().unwrap_or_else(PoisonError::into_inner).find(name).is_some()
    }

    /// When the one that was obtained for this name begins and ends.
    pub(in crate::server) fn obtained(&self, name: &str) -> Option<(SystemTime, SystemTime)> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.obtained.get(name).map(|one| (one.from, one.until))
    }

    /// Shows these files' certificates from now on.
    pub(in crate::server) fn set_files(&self, files: Vec<Certificate>) {
        self.change(|table| table.files = files);
    }

    /// Shows this one for its name from now on.
    pub(in crate::server) fn put(&self, name: &str, certificate: Certificate) {
        self.change(|table| {
            table.obtained.insert(name.to_owned(), certificate);
        });
    }

    /// Forgets what was obtained for other names.
    pub(in crate::server) fn keep(&self, wanted: impl Fn(&str) -> bool) {
        self.change(|table| table.obtained.retain(|name, _| wanted(name)));
    }

    fn change(&self, change: impl FnOnce(&mut Table)) {
        let mut place = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let mut table = Table::clone(&place);
        change(&mut table);
        table.index();
        *place = Arc::new(table);
    }
}

impl Table {
    fn find(&self, name: &str) -> Option<&Arc<CertifiedKey>> {
        let wildcard = || self.by_name.get(&format!("*.{}", name.split_once('.')?.1));
        self.by_name.get(name).or_else(wildcard)
    }

    /// What somebody put there by hand goes before what was obtained.
    fn index(&mut self) {
        self.by_name.clear();
        for certificate in self.files.iter().chain(self.obtained.values()) {
            for name in &certificate.names {
                self.by_name.entry(name.clone()).or_insert_with(|| certificate.key.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(names: &[&str]) -> (String, String) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    fn read(names: &[&str]) -> Certificate {
        let (chain, key) = made(names);
        Certificate::read(chain.as_bytes(), key.as_bytes()).unwrap()
    }

    #[test]
    fn they_are_found_by_name() {
        let certificates = Certificates::default();
        assert!(certificates.find(None).is_none() && certificates.find(Some("a.example")).is_none());
        let (a, wild, own) = (read(&["a.example"]), read(&["*.b.example", "B.example"]), read(&["a.example"]));
        certificates.set_files(vec![a.clone(), wild.clone()]);
        certificates.put("a.example", own.clone());
        certificates.put("c.example", read(&["c.example"]));
        let is = |name: Option<&str>, wanted: &Certificate| {
            certificates.find(name).is_some_and(|found| Arc::ptr_eq(&found, &wanted.key))
        };
        assert!(is(None, &a) && is(Some("a.example"), &a));
        assert!(is(Some("x.b.example"), &wild) && is(Some("b.example"), &wild));
        assert!(certificates.find(Some("x.y.b.example")).is_none() && certificates.find(Some("example")).is_none());
        assert!(certificates.has("c.example"));
        certificates.keep(|name| name == "a.example");
        assert!(!certificates.has("c.example"));
        certificates.set_files(Vec::new());
        assert!(is(Some("a.example"), &own) && is(None, &own));
    }

    #[test]
    fn what_does_not_fit_together_is_said() {
        let ((chain, key), (_, other)) = (made(&["a.example"]), made(&["a.example"]));
        let fails =
            |chain: &str, key: &str| Certificate::read(chain.as_bytes(), key.as_bytes()).unwrap_err().to_string();
        assert!(fails(&chain, &other).contains("does not belong"));
        assert!(fails("", &key).contains("no certificate"));
        assert!(fails(&chain, "").contains("no private key"));
        assert!(fails(&chain, &chain).contains("no private key"));
        let cut = chain.replace("MII", "AAA");
        assert!(fails(&cut, &key).contains("cannot be read"), "{}", fails(&cut, &key));
        let both = format!("{key}{chain}");
        let read = Certificate::read(both.as_bytes(), both.as_bytes()).unwrap();
        assert!(read.names == ["a.example"] && read.from < read.until);
    }
}
