//! The command line is known: read the difference before accepting it.

use super::*;
use clap::CommandFactory as _;

/// Every command's help, one after the other.
fn helps(command: &mut clap::Command, path: &str, out: &mut String) {
    let text = command.clone().term_width(100).render_long_help();
    out.push_str(&format!("$ {path} --help\n{text}\n"));
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        if let Some(sub) = command.find_subcommand_mut(&name) {
            helps(sub, &format!("{path} {name}"), out);
        }
    }
}

#[test]
fn the_command_line_is_known() {
    let mut command = Cli::command();
    command.build();
    let mut out = String::new();
    helps(&mut command, "noren", &mut out);
    insta::assert_snapshot!("help", out);
}

#[test]
fn every_command_takes_config_and_data_and_shows_examples() {
    let mut command = Cli::command();
    command.build();
    for sub in command.get_subcommands_mut() {
        let (name, text) = (sub.get_name().to_owned(), sub.render_help().to_string());
        assert!(text.contains("--config") && text.contains("--data"), "{name}");
        assert!(text.contains("Examples:") || name == "version", "{name}");
    }
}
