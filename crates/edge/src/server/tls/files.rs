//! Certificates in files, read again when they change: certbot and its like replace them while we run.

use super::certificates::{BadCertificate, Certificate, Certificates};
use crate::server::config::CertificateFiles;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How often the files are looked at.
const PAUSE: Duration = Duration::from_secs(30);

/// The files and what they held when they were read last.
#[derive(Debug)]
pub(in crate::server) struct Files {
    list: Vec<CertificateFiles>,
    read: Vec<Certificate>,
    changed: Vec<Option<SystemTime>>,
}

/// A certificate of the configuration that cannot be used, and which one it is.
#[derive(Debug, thiserror::Error)]
#[error("certificate {chain}: {why}")]
pub struct BadFile {
    chain: String,
    why: BadCertificate,
}

impl Files {
    /// Reads all of them; one that cannot be used is an error, for it is a mistake in the configuration.
    pub(in crate::server) fn open(list: &[CertificateFiles]) -> Result<Self, BadFile> {
        let read: Result<Vec<_>, _> = list.iter().map(read).collect();
        Ok(Self { list: list.to_vec(), read: read?, changed: list.iter().map(changed).collect() })
    }

    pub(in crate::server) fn certificates(&self) -> Vec<Certificate> {
        self.read.clone()
    }

    /// Reads again what has changed. What cannot be used now leaves the one before in its place.
    /// Whether there is something new.
    pub(in crate::server) fn refresh(&mut self) -> bool {
        let mut any = false;
        for (at, files) in self.list.iter().enumerate() {
            let now = changed(files);
            if now == self.changed[at] {
                continue;
            }
            match read(files) {
                Ok(certificate) => {
                    tracing::info!(chain = %files.chain.display(), "a certificate has changed");
                    (self.read[at], self.changed[at], any) = (certificate, now, true);
                }
                // Perhaps it is being written just now: it is looked at again soon.
                Err(error) => tracing::warn!("{error}; the one before is kept"),
            }
        }
        any
    }

    /// Keeps `certificates` as the files are, for ever.
    pub(in crate::server) async fn watch(mut self, certificates: Arc<Certificates>) {
        certificates.set_files(self.certificates());
        if self.list.is_empty() {
            return;
        }
        loop {
            tokio::time::sleep(PAUSE).await;
            let looked = tokio::task::spawn_blocking(move || {
                let any = self.refresh();
                (self, any)
            });
            let Ok((files, any)) = looked.await else { return };
            self = files;
            if any {
                certificates.set_files(self.certificates());
            }
        }
    }
}

fn read(files: &CertificateFiles) -> Result<Certificate, BadFile> {
    let bytes = |path: &Path| {
        std::fs::read(path).map_err(|error| BadCertificate::Unreadable(path.display().to_string(), error))
    };
    let certificate = bytes(&files.chain).and_then(|chain| Certificate::read(&chain, &bytes(&files.key)?));
    let certificate = certificate.map_err(|why| BadFile { chain: files.chain.display().to_string(), why })?;
    if certificate.until < SystemTime::now() {
        tracing::warn!(chain = %files.chain.display(), "this certificate has run out: browsers will refuse it");
    }
    Ok(certificate)
}

/// The later time of the two files; a link's target counts.
fn changed(files: &CertificateFiles) -> Option<SystemTime> {
    let time = |path: &Path| std::fs::metadata(path).and_then(|about| about.modified()).ok();
    time(&files.chain).max(time(&files.key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_read_again_and_what_breaks_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = CertificateFiles { chain: folder.path().join("chain.pem"), key: folder.path().join("key.pem") };
        let write = |name: &str, seconds: u64| {
            let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
            for (path, text) in [(&files.chain, made.cert.pem()), (&files.key, made.signing_key.serialize_pem())] {
                std::fs::write(path, text).unwrap();
                let file = std::fs::File::options().write(true).open(path).unwrap();
                file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
            }
        };
        assert!(Files::open(std::slice::from_ref(&files)).unwrap_err().to_string().contains("chain.pem"));
        write("a.example", 1);
        let mut open = Files::open(std::slice::from_ref(&files)).unwrap();
        assert!(!open.refresh());
        write("b.example", 2);
        assert!(open.refresh() && open.read[0].names == ["b.example"]);
        std::fs::write(&files.chain, "half").unwrap();
        assert!(!open.refresh() && open.read[0].names == ["b.example"]);
        write("c.example", 4);
        assert!(open.refresh() && open.read[0].names == ["c.example"]);
    }
}
