//! Compiles `proto/` with protox, so that protoc need not be installed.

use std::path::{Path, PathBuf};
use std::{env, error, fs, io};

use prost::Message;

/// The Rust type of feed responses, which the server sends pre-encoded: see `wire::encoded`.
const ENCODED_FEED: &str = "crate::wire::encoded::EncodedFeed";

fn main() -> Result<(), Box<dyn error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let api = protox::compile(protos("proto/tipoff/v1")?, ["proto"])?;
    fs::write(out.join("tipoff.v1.bin"), api.encode_to_vec())?;
    // Messages and clients.
    tonic_prost_build::configure()
        .build_server(false)
        .bytes(".tipoff.v1.Cursor")
        .compile_fds(api.clone())?;
    // Servers use the same messages, except for feed responses: those are assembled from bytes that
    // are encoded once for all readers.
    let servers = out.join("servers");
    fs::create_dir_all(&servers)?;
    tonic_prost_build::configure()
        .build_client(false)
        .extern_path(".tipoff.v1", "crate::wire::pb")
        .extern_path(".tipoff.v1.SubscribeResponse", ENCODED_FEED)
        .extern_path(".tipoff.v1.PullResponse", ENCODED_FEED)
        .extern_path(".tipoff.v1.SnapshotResponse", ENCODED_FEED)
        .out_dir(&servers)
        .compile_fds(api)?;

    let journal = protox::compile(protos("proto/tipoff/journal/v1")?, ["proto"])?;
    tonic_prost_build::configure().build_client(false).build_server(false).compile_fds(journal)?;
    Ok(())
}

fn protos(folder: impl AsRef<Path>) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
