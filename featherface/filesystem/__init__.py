"""Files written so that no crash and no other program leaves half of one."""
