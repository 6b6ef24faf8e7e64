//! The command line is known: read the difference before accepting it.

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
    let mut command = super::command();
    command.build();
    let mut out = String::new();
    helps(&mut command, "noren", &mut out);
    insta::assert_snapshot!("help", out);
}

#[test]
fn every_command_takes_config_and_data_and_shows_examples() {
    let mut command = super::command();
    command.build();
    let mut out = String::new();
    helps(&mut command, "noren", &mut out);
    for help in out.split("\n$ ") {
        assert!(help.contains("--config") && help.contains("--data"), "{help}");
        assert!(help.contains("Examples:") || help.starts_with("noren version"), "{help}");
    }
}
