//! What is on a disk at one moment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The number of a file, whatever its name is.
pub type Inode = usize;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    Dir,
    File(Inode),
}

/// What is on a disk.
#[derive(Clone, Debug, Default)]
pub struct Image {
    pub names: BTreeMap<PathBuf, Node>,
    pub files: Vec<Vec<u8>>,
}

impl Image {
    /// The content of a file.
    pub fn file(&self, path: &Path) -> Option<&Vec<u8>> {
        match self.names.get(path)? {
            Node::File(inode) => Some(&self.files[*inode]),
            Node::Dir => None,
        }
    }

    /// The content of a file, to change it.
    pub fn file_mut(&mut self, path: &Path) -> Option<&mut Vec<u8>> {
        match self.names.get(path)? {
            Node::File(inode) => Some(&mut self.files[*inode]),
            Node::Dir => None,
        }
    }

    /// What lies in a directory of this machine, apart from these names in it.
    pub fn read_from(dir: &Path, without: &[&str]) -> Image {
        let mut image = Image::default();
        let above = dir.ancestors().skip(1).filter(|above| above.parent().is_some());
        image.names.extend(above.map(|above| (above.to_owned(), Node::Dir)));
        image.add(dir, without);
        image
    }

    fn add(&mut self, path: &Path, without: &[&str]) {
        if without.iter().any(|name| path.file_name() == Some(name.as_ref())) {
            return;
        }
        if path.is_dir() {
            self.names.insert(path.to_owned(), Node::Dir);
            for entry in std::fs::read_dir(path).expect("the directory can be read") {
                self.add(&entry.expect("an entry can be read").path(), without);
            }
        } else {
            self.names.insert(path.to_owned(), Node::File(self.files.len()));
            self.files.push(std::fs::read(path).expect("the file can be read"));
        }
    }
}
