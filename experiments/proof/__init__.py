"""What a record can prove about itself, computed once more, and what it can't and why."""
