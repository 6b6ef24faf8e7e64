//! What is kept between runs: the account with its key, and each certificate with its key in one file.

use crate::server::values::HostName;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The folder for one authority: what another one gave is not taken for this one's.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes it if need be; nobody else on the machine may look into it.
    pub(super) fn open(data: &Path, directory: &str) -> io::Result<Self> {
        let name = directory.trim_start_matches("https://");
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '-' };
        let name: String = name.chars().map(plain).take(200).collect();
        let path = data.join("acme").join(name.trim_start_matches('.'));
        DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn account(&self) -> io::Result<Option<Vec<u8>>> {
        read(&self.0.join("account.json"))
    }

    pub(super) fn keep_account(&self, account: &[u8]) -> io::Result<()> {
        self.write("account.json", account)
    }

    /// Puts an account away that the authority does not know any more.
    pub(super) fn forget_account(&self) -> io::Result<()> {
        fs::rename(self.0.join("account.json"), self.0.join("account.json.old"))
    }

    pub(super) fn certificate(&self, name: &HostName) -> io::Result<Option<Vec<u8>>> {
        read(&self.0.join(format!("{name}.pem")))
    }

    pub(super) fn keep_certificate(&self, name: &HostName, pem: &str) -> io::Result<()> {
        self.write(&format!("{name}.pem"), pem.as_bytes())
    }

    /// When a certificate for this name was asked for last, so that a server that is started again and again does not
    /// ask each time.
    pub(super) fn tried(&self, name: &HostName) -> Option<SystemTime> {
        fs::metadata(self.0.join(format!("{name}.tried"))).and_then(|about| about.modified()).ok()
    }

    pub(super) fn mark_tried(&self, name: &HostName) -> io::Result<()> {
        self.write(&format!("{name}.tried"), b"")
    }

    /// Written whole or not at all, and readable for ourselves alone.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let (path, new) = (self.0.join(name), self.0.join(format!("{name}.new")));
        // A file that was left behind may have other rights.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(&self.0)?.sync_all()
    }
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn files_are_whole_and_ours_alone() {
        let data = tempfile::tempdir().unwrap();
        let folder = Folder::open(data.path(), "https://ca.example/dir/../../x").unwrap();
        assert!(folder.0.parent().unwrap().ends_with("acme"), "{folder:?}");
        let name: HostName = "a.example".parse().unwrap();
        assert_eq!(folder.certificate(&name).unwrap(), None);
        fs::write(folder.0.join("a.example.pem.new"), "left behind").unwrap();
        for text in ["one", "two"] {
            folder.keep_certificate(&name, text).unwrap();
            assert_eq!(folder.certificate(&name).unwrap().unwrap(), text.as_bytes());
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder.0), mode(&folder.0.join("a.example.pem"))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
        let other = Folder::open(data.path(), "https://other.example/dir").unwrap();
        assert_eq!(other.certificate(&name).unwrap(), None);
    }
}
