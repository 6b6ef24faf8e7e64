//! Holds the house in order: sizes, where SQL may stand, who may import whom, and that the links
//! of the documents lead somewhere. Each rule names what breaks it.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// Files may have this many lines; more only with a reason in `LONG_FILES`.
const FILE_LINES: usize = 400;
/// No reason helps beyond this.
const FILE_LINES_EVER: usize = 600;
/// The same of functions, with `LONG_FUNCTIONS`.
const FUNCTION_LINES: usize = 60;
const FUNCTION_LINES_EVER: usize = 100;
const PARAMETERS: usize = 4;
const ARCHITECTURE_LINES: usize = 150;

/// (path, why it may have more than `FILE_LINES` lines). Keep it short; split instead.
const LONG_FILES: &[(&str, &str)] = &[];

/// (path, function, why it may have more than `FUNCTION_LINES` lines). Keep it short; split instead.
const LONG_FUNCTIONS: &[(&str, &str, &str)] =
    &[("crates/web/examples/pages.rs", "fill", "a site to look at, told from its beginning to its end")];

/// (path, function, why it may have more than `PARAMETERS` parameters). Keep it short; group what belongs together.
const MANY_PARAMETERS: &[(&str, &str, &str)] = &[
    ("crates/api/src/accounts/statuses.rs", "list", "who calls, whose statuses, which page, which of them"),
    ("crates/api/src/timelines.rs", "tag", "who calls, which tag, which page, which further tags"),
];

/// (crate, the crates of ours that it may depend on); the binary, the benchmark and the test kit may take all.
const IMPORTS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("media", &[]),
    ("edge", &["media"]),
    ("federation", &["domain", "media"]),
    ("api", &["domain", "federation", "media"]),
    ("web", &["domain", "federation", "media"]),
];

/// Parts of the names of crates that speak HTTP: they have no place where it says what is true.
const HTTP: &[&str] = &["axum", "http", "hyper", "reqwest", "tower", "tungsten", "ureq"];

/// Folders without a word of ours in them.
const SKIPPED: &[&str] = &[".git", ".venv", "data", "node_modules", "target", "__pycache__"];

#[test]
fn files_stay_short() {
    let mut wrong = Vec::new();
    for path in files(&["rs", "py", "mjs", "js", "css", "sh"]) {
        let lines = read(&path).lines().count();
        let reason = LONG_FILES.iter().find(|(long, _)| *long == path);
        match reason {
            _ if lines > FILE_LINES_EVER => {
                wrong.push(format!("{path}: {lines} lines, {FILE_LINES_EVER} are the most ever"));
            }
            None if lines > FILE_LINES => {
                wrong.push(format!("{path}: {lines} lines, more than {FILE_LINES}: split it"));
            }
            Some(_) if lines <= FILE_LINES => {
                wrong.push(format!("{path}: {lines} lines: take it off LONG_FILES"));
            }
            _ => {}
        }
    }
    for (path, _) in LONG_FILES {
        if !root().join(path).exists() {
            wrong.push(format!("{path}: is gone: take it off LONG_FILES"));
        }
    }
    assert_none(&wrong);
}

#[test]
fn a_module_with_parts_stands_among_them() {
    let is_beside = |path: &String| root().join(path.trim_end_matches(".rs")).is_dir();
    let wrong = files(&["rs"]).into_iter().filter(is_beside);
    assert_none(
        &wrong.map(|path| format!("{path}: move it into its folder, as mod.rs or main.rs")).collect::<Vec<_>>(),
    );
}

#[test]
fn functions_stay_short_and_take_few_parameters() {
    assert_none(&code_findings(|code| &code.functions));
}

#[test]
fn sql_stands_only_in_stores_and_migrations() {
    assert_none(&code_findings(|code| &code.sql));
}

#[test]
fn nothing_is_imported_by_glob_outside_tests() {
    assert_none(&code_findings(|code| &code.globs));
}

#[test]
fn crates_import_only_what_the_house_allows() {
    let mut wrong = Vec::new();
    for folder in fs::read_dir(root().join("crates")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        let Some((_, allowed)) = IMPORTS.iter().find(|(known, _)| *known == name) else {
            let takes_all = ["bench", "noren", "testkit"].contains(&name.as_str());
            assert!(takes_all, "crates/{name} is not in IMPORTS");
            continue;
        };
        for dependency in dependencies(&name) {
            let ours = root().join("crates").join(&dependency).exists();
            if ours && !allowed.contains(&dependency.as_str()) {
                wrong.push(format!("crates/{name} must not depend on {dependency}"));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn the_domain_knows_no_http() {
    let speaks = |name: &String| HTTP.iter().any(|part| name.contains(part));
    let speakers = dependencies("domain").into_iter().filter(speaks);
    let wrong = speakers.map(|name| format!("crates/domain must not depend on {name}"));
    assert_none(&wrong.collect::<Vec<_>>());
}

#[test]
fn every_noun_of_the_paths_is_asked_for_by_a_test() {
    let tests: Vec<String> =
        files(&["rs"]).iter().filter(|path| path.contains("/tests/")).map(|path| read(path)).collect();
    let mut wrong = Vec::new();
    for path in files(&["rs"]).iter().filter(|path| path.contains("/src/") && !path.starts_with("crates/testkit/")) {
        let text = read(path);
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        for route in routes(code) {
            let noun = noun(route);
            if !tests.iter().any(|test| test.contains(&noun)) {
                wrong.push(format!("{path}: no test asks for {noun} ({route})"));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn the_architecture_fits_into_one_reading() {
    let lines = read("ARCHITECTURE.md").lines().count();
    assert!(lines <= ARCHITECTURE_LINES, "ARCHITECTURE.md: {lines} lines of {ARCHITECTURE_LINES}");
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut wrong = Vec::new();
    for path in files(&["md"]) {
        let folder = root().join(&path).parent().unwrap().to_owned();
        for link in links(&read(&path)) {
            let target = link.split(['#', '?']).next().unwrap_or_default();
            let foreign = link.contains("://") || link.starts_with("mailto:");
            if !foreign && !target.is_empty() && !folder.join(target).exists() {
                wrong.push(format!("{path}: nothing at {link}"));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn the_rules_find_what_they_look_for() {
    let long = format!("fn long() {{\n{}}}", "    work();\n".repeat(FUNCTION_LINES));
    let many = "impl A { fn many(&self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8) {} }";
    let sql = "sql!(/** SELECT */ A = \"SELECT \", B); // SELECT a\n/// SELECT x\nfn f() {}";
    let tests = "#[cfg(test)] mod tests { use super::*; const A: &str = \"DELETE FROM a\"; }";
    assert_eq!(inspect("a/b.rs", &long).functions.len(), 1);
    assert_eq!(inspect("a/b.rs", many).functions.len(), 1);
    assert_eq!(inspect("a/b.rs", sql).sql.len(), 1);
    assert_eq!(inspect("a/store.rs", sql).sql.len(), 0);
    assert_eq!(inspect("a/store/posts.rs", sql).sql.len(), 0);
    assert_eq!(inspect("a/b.rs", "use a::{b, c::*};").globs.len(), 1);
    let test_code = inspect("a/b.rs", tests);
    assert!(test_code.globs.is_empty() && test_code.sql.is_empty());
    let routing = "Router::new().route(\"/api/v1/lists/{id}/accounts\", get(a)).route(\n    \"/@{name}\", get(b))";
    assert_eq!(routes(routing).map(noun).collect::<Vec<_>>(), ["/api/v1/lists", "/@"]);
    let document = "[a](b.md) ![c](d.png \"t\")\n```\n[x](y)\n```\n`[p](q)`";
    assert_eq!(links(document), ["b.md", "d.png"]);
}

/// What one file of Rust has done wrong, by rule.
#[derive(Default)]
struct Code {
    path: String,
    may_hold_sql: bool,
    functions: Vec<String>,
    sql: Vec<String>,
    globs: Vec<String>,
}

fn code_findings(of: impl Fn(&Code) -> &Vec<String>) -> Vec<String> {
    let is_test = |path: &String| path.split('/').any(|part| part == "tests" || part == "benches");
    let code = files(&["rs"]).into_iter().filter(|path| !is_test(path) && !path.ends_with("/tests.rs"));
    code.flat_map(|path| of(&inspect(&path, &read(&path))).clone()).collect()
}

fn inspect(path: &str, text: &str) -> Code {
    const HOLDERS: &[&str] = &["crates/domain/src/db/", "crates/domain/src/db.rs", "crates/testkit/"];
    let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let may_hold_sql =
        path.ends_with("/store.rs") || path.contains("/store/") || HOLDERS.iter().any(|place| path.starts_with(place));
    let mut code = Code { path: path.to_owned(), may_hold_sql, ..Code::default() };
    code.visit_file(&file);
    code
}

impl Code {
    fn function(&mut self, signature: &syn::Signature, end: proc_macro2::Span) {
        let start = signature.ident.span().start().line;
        let lines = end.end().line + 1 - start;
        let typed = |input: &&syn::FnArg| matches!(input, syn::FnArg::Typed(_));
        let parameters = signature.inputs.iter().filter(typed).count();
        let place = format!("{}:{start}: {}", self.path, signature.ident);
        let may_be_long = LONG_FUNCTIONS.iter().any(|(path, name, _)| *path == self.path && signature.ident == name);
        let most = if may_be_long { FUNCTION_LINES_EVER } else { FUNCTION_LINES };
        if lines > most {
            self.functions.push(format!("{place} has {lines} lines of {most}"));
        }
        if may_be_long && lines <= FUNCTION_LINES {
            self.functions.push(format!("{place} has {lines} lines: take it off LONG_FUNCTIONS"));
        }
        let may_have_many = MANY_PARAMETERS.iter().any(|(path, name, _)| *path == self.path && signature.ident == name);
        if may_have_many && parameters <= PARAMETERS {
            self.functions.push(format!("{place} has {parameters} parameters: take it off MANY_PARAMETERS"));
        }
        if parameters > PARAMETERS && !may_have_many {
            self.functions.push(format!("{place} has {parameters} parameters of {PARAMETERS}"));
        }
    }

    fn literal(&mut self, text: &str, line: usize) {
        let starts = ["SELECT ", "INSERT INTO ", "DELETE FROM "];
        let update = text.contains("UPDATE ") && text.contains(" SET ");
        let sql = update || starts.iter().any(|start| text.contains(start));
        if sql && !self.may_hold_sql {
            self.sql.push(format!("{}:{line}: SQL outside of a store", self.path));
        }
    }

    /// Looks into what a macro is given, documentation left out.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut after_hash = false;
        for token in tokens {
            let attribute = after_hash;
            after_hash = matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '#');
            match token {
                TokenTree::Group(group) if !attribute => self.tokens(group.stream()),
                TokenTree::Literal(literal) => {
                    self.literal(&literal.to_string(), literal.span().start().line);
                }
                TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Code {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !only_in_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !only_in_tests(&item.attrs) {
            self.function(&item.sig, item.block.brace_token.span.close());
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !only_in_tests(&item.attrs) {
            self.function(&item.sig, item.block.brace_token.span.close());
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        let end = item.default.as_ref().map(|block| block.brace_token.span.close());
        self.function(&item.sig, end.unwrap_or_else(|| item.sig.paren_token.span.close()));
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_use_glob(&mut self, glob: &'ast syn::UseGlob) {
        let line = glob.star_token.spans[0].start().line;
        self.globs.push(format!("{}:{line}: name what is imported", self.path));
    }

    fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
        self.literal(&literal.value(), literal.span().start().line);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.tokens(call.tokens.clone());
    }

    /// Documentation may speak of SQL.
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}

fn only_in_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        let condition = || attribute.parse_args::<syn::Ident>();
        let cfg_test = path.is_ident("cfg") && condition().is_ok_and(|word| word == "test");
        cfg_test || path.segments.last().is_some_and(|last| last.ident == "test")
    })
}

/// The paths that are given to routers.
fn routes(code: &str) -> impl Iterator<Item = &str> {
    let after = code.split(".route(").skip(1);
    after.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next()).filter(|path| path.len() > 1)
}

/// `/api/v1/NOUN`, or the first word of another path.
fn noun(route: &str) -> String {
    let words = if route.starts_with("/api/") { 3 } else { 1 };
    let plain = route.split('{').next().unwrap_or_default();
    let parts = plain.split('/').filter(|part| !part.is_empty()).take(words);
    parts.fold(String::new(), |path, part| path + "/" + part)
}

/// The names in `[dependencies]`; what only tests need may be anything.
fn dependencies(name: &str) -> Vec<String> {
    let manifest: toml::Table = read(&format!("crates/{name}/Cargo.toml")).parse().unwrap();
    let table = manifest.get("dependencies").and_then(toml::Value::as_table);
    table.into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// The targets of the links in a document, code left out.
fn links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for prose in line.split('`').step_by(2) {
            for after in prose.split("](").skip(1) {
                let target = after.split(')').next().unwrap_or_default();
                found.extend(target.split_whitespace().next());
            }
        }
    }
    found
}

/// Files of ours with one of these endings, as paths from the root, sorted.
fn files(endings: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
            let kind = entry.file_type().unwrap();
            let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
                folders.push(path);
            } else if kind.is_file() && endings.contains(&ending) {
                found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[track_caller]
fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n  {}\n", wrong.join("\n  "));
}
