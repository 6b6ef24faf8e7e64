-- Whether somebody belongs to the staff is shown with every account: it is kept with it, and written with the user's role.
ALTER TABLE accounts ADD COLUMN role BIGINT NOT NULL DEFAULT 0;
UPDATE accounts SET role = (SELECT u.role FROM users u WHERE u.account_id = accounts.id)
    WHERE id IN (SELECT account_id FROM users WHERE role > 0);
