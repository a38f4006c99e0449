#!/bin/bash
# One training on four nodes of a Slurm cluster: sbatch slurm.sh
#SBATCH --job-name=deltarule
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1        # a worker for each node; it takes a thread for each of its cores
#SBATCH --cpus-per-task=16
#SBATCH --time=02:00:00
#SBATCH --requeue                  # a job that lost a node is put back into the queue, …
#SBATCH --open-mode=append
set -euo pipefail

# Once: python -m venv ~/deltarule && ~/deltarule/bin/pip install 'deltarule[mpi,fast,data]'
source ~/deltarule/bin/activate

# … and goes on from its last checkpoint, on however many nodes it gets.
resume=()
if [ -f run.ckpt ]; then
  resume=(--resume run.ckpt)
fi

# mpiexec of the venv (Open MPI) asks Slurm for the nodes by itself. Where a rank dies, the others go on.
mpiexec --with-ft ulfm --map-by node --bind-to none -n "$SLURM_NTASKS" \
  deltarule train train.parquet --target y \
  --batch-size 8192 --epochs 50 --checkpoint run.ckpt "${resume[@]}" --save model.safetensors
