"""What film, projectors and tape did to pictures: measured, and taken back by classical means, without networks."""
