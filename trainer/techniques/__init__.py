"""What the papers describe, a file each; they import nothing of ours."""
