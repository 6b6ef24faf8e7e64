//! Custom emoji by the handful.

use crate::{lines, refused, run};

#[test]
fn emoji_come_from_folders_and_archives() {
    let folder = tempfile::tempdir().unwrap();
    let (data, blobs) = (folder.path(), folder.path().join("blobs"));
    lines(data, &["account", "create", "mia", "--owner"]);
    std::fs::create_dir(&blobs).unwrap();
    for name in ["blobcat.png", "blob_dog.png"] {
        std::fs::write(blobs.join(name), png()).unwrap();
    }
    let done = lines(data, &["emoji", "import", "blobs", "--category", "Blobs", "--dry-run"]);
    assert_eq!(done, ["2 would be added, 0 there already, 0 refused"]);
    assert_eq!(lines(data, &["emoji", "list"]), ["no emoji"]);
    assert_eq!(lines(data, &["emoji", "import", "blobs"]), ["2 added, 0 there already, 0 refused"]);

    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    archive.append_dir_all(".", &blobs).unwrap();
    let bytes = archive.into_inner().unwrap().finish().unwrap();
    std::fs::write(data.join("blobs.tar.gz"), bytes).unwrap();
    assert_eq!(lines(data, &["emoji", "import", "blobs.tar.gz"]), ["0 added, 2 there already, 0 refused"]);
    assert_eq!(
        lines(data, &["emoji", "import", "blobs.tar.gz", "--prefix", "x_"]),
        ["2 added, 0 there already, 0 refused"]
    );
    assert_eq!(lines(data, &["emoji", "import", "blobs", "--overwrite"]), ["2 added, 0 there already, 0 refused"]);

    std::fs::write(blobs.join("words.png"), "no picture").unwrap();
    let output = run(data, &["emoji", "import", "blobs"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("words.png: "));

    lines(data, &["emoji", "delete", ":blobcat:"]);
    assert!(refused(data, &["emoji", "delete", "blobcat"], 1).contains("no emoji :blobcat:"));
    assert_eq!(lines(data, &["emoji", "list"]).len(), 4, "a heading and three emoji");
}

/// A picture of one pixel.
fn png() -> Vec<u8> {
    let hex = "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082";
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
